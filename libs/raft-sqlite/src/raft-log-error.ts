// What can keep a log from being opened, or end it while it runs. Each says what to do about it. All are fatal to the replica:
// there is no way on that would not risk a vote or an acknowledged entry.

export type RaftLogErrorCode =
  /** An entry's checksum does not fit: `corruptFrom` is its index. */
  | 'log_corrupt'
  /** The directory belongs to another replica or cluster. */
  | 'foreign_directory'
  /** Another process has the log open. */
  | 'directory_in_use'
  /** Written by a later release. */
  | 'schema_unknown'
  | 'sqlite_too_old'
  /** SQLite would not promise what was asked of it. */
  | 'not_durable'
  /** SQLite or the disk failed. */
  | 'disk_failed';

const remedies: Readonly<Record<RaftLogErrorCode, string>> = {
  log_corrupt:
    'The disk returned something else than was written. Move the directory away and start the replica with an empty one under a new id; the other replicas hold every committed entry.',
  foreign_directory: 'Point the replica at its own data directory, or at an empty one.',
  directory_in_use: 'Stop the other process that runs this replica.',
  schema_unknown: 'Start the release that wrote the directory, or a later one.',
  sqlite_too_old: 'Install a better-sqlite3 with SQLite 3.51.3 or later.',
  not_durable: 'Keep the directory on a local file system that supports write-ahead logging.',
  disk_failed:
    'Look at the disk and the free space; the replica resumes where it was when restarted.',
};

/** An error in the form that passes between threads. */
export interface RaftLogFault {
  readonly code: RaftLogErrorCode;
  readonly reason: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export class RaftLogError extends Error implements RaftLogFault {
  readonly code: RaftLogErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly remedy: string;

  constructor(code: RaftLogErrorCode, reason: string, facts: RaftLogFault['facts'] = {}) {
    super(`${reason}. ${remedies[code]}`);
    this.name = 'RaftLogError';
    this.code = code;
    this.reason = reason;
    this.facts = facts;
    this.remedy = remedies[code];
  }

  /** The first index that can't be trusted, if the log is corrupt there. */
  get corruptFrom(): number | undefined {
    const { corruptFrom } = this.facts;
    return typeof corruptFrom === 'number' ? corruptFrom : undefined;
  }

  /** Any thrown value as the fault that it stands for. */
  static from(thrown: unknown): RaftLogError {
    if (thrown instanceof RaftLogError) return thrown;
    const error = thrown as { message?: unknown; code?: unknown };
    const facts = { error: String(error.message ?? thrown), sqlite: error.code };
    if (error.code === 'SQLITE_BUSY') {
      return new RaftLogError('directory_in_use', 'The log is open in another process', facts);
    }
    if (error.code === 'SQLITE_CORRUPT' || error.code === 'SQLITE_NOTADB') {
      return new RaftLogError('log_corrupt', 'SQLite finds its file damaged', facts);
    }
    return new RaftLogError('disk_failed', 'The log could not be written or read', facts);
  }
}
