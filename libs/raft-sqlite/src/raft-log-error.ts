// What can keep a log from being opened, or end it while it runs. Each says what to do about it. All but the refusals are
// fatal to the replica: there is no way on that would not risk a vote or an acknowledged entry.

export type RaftLogErrorCode =
  /** SQLite found its file damaged while the log ran; the next start repairs it. */
  | 'log_corrupt'
  /** The directory belongs to another replica or cluster. */
  | 'foreign_directory'
  /** Another process has the log open. */
  | 'directory_in_use'
  /** Asked to make a replica's directory where one is. */
  | 'directory_holds_log'
  /** The log is encrypted and the key is missing or another one. */
  | 'locked'
  /** Written by a later release. */
  | 'schema_unknown'
  | 'sqlite_too_old'
  /** SQLite would not promise what was asked of it. */
  | 'not_durable'
  /** A snapshot is not what was stored, or not complete. A refusal: the log goes on. */
  | 'snapshot_damaged'
  /** The log was closed or has failed before this was done. */
  | 'closed'
  | 'disk_full'
  /** SQLite or the disk failed. */
  | 'disk_failed';

const remedies: Readonly<Record<RaftLogErrorCode, string>> = {
  log_corrupt:
    'The disk returned something else than was written. Restart the replica: it sets the file aside, keeps what is provably whole and fetches the rest from the leader.',
  foreign_directory: 'Point the replica at its own data directory, or at an empty one.',
  directory_in_use: 'Stop the other process that runs this replica.',
  directory_holds_log: 'Choose an empty directory, or say that the log in it is to be set aside.',
  locked: 'Give the key that the log was encrypted with.',
  schema_unknown: 'Start the release that wrote the directory, or a later one.',
  sqlite_too_old: 'Install a better-sqlite3 with SQLite 3.51.3 or later.',
  not_durable: 'Keep the directory on a local file system that supports write-ahead logging.',
  snapshot_damaged: 'Take it again from its source.',
  closed: 'Open the log again.',
  disk_full: 'Free some space and restart the replica; it resumes where it was.',
  disk_failed:
    'Look at the disk and the free space; the replica resumes where it was when restarted.',
};

const refusals: ReadonlySet<RaftLogErrorCode> = new Set(['snapshot_damaged', 'closed']);

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

  /** Only what was asked for is refused; the log itself is as it was. */
  get isRefusal(): boolean {
    return refusals.has(this.code);
  }

  get fault(): RaftLogFault {
    return { code: this.code, reason: this.reason, facts: this.facts };
  }

  static of({ code, reason, facts }: RaftLogFault): RaftLogError {
    return new RaftLogError(code, reason, facts);
  }

  /** Any thrown value as the fault that it stands for. */
  static from(thrown: unknown): RaftLogError {
    if (thrown instanceof RaftLogError) return thrown;
    const { message, code } = thrown as { message?: unknown; code?: unknown };
    const facts = { error: String(message ?? thrown), cause: code };
    const name = String(code ?? '');
    if (name.startsWith('SQLITE_BUSY')) {
      return new RaftLogError('directory_in_use', 'The log is open in another process', facts);
    }
    if (name.startsWith('SQLITE_CORRUPT') || name === 'SQLITE_NOTADB') {
      return new RaftLogError('log_corrupt', 'SQLite finds its file damaged', facts);
    }
    if (name === 'SQLITE_FULL' || name === 'ENOSPC' || name === 'EDQUOT') {
      return new RaftLogError('disk_full', 'The disk is full', facts);
    }
    return new RaftLogError('disk_failed', 'The log could not be written or read', facts);
  }
}
