// Backups that clients fetch piece by piece from this replica: each is a snapshot of the applied state that is read while the store
// goes on. The last piece may be asked again. What nobody asks for is let go.

import { createHash, randomUUID, type Hash } from 'node:crypto';
import {
  maxBackupPieceBytes,
  SkeinError,
  type BackupHeader,
  type backupContract,
  type ReplyOf,
} from '@skein/contracts';
import type { SnapshotSource } from '@skein/store';
import type { ConsensusConfiguration } from './consensus.config';
import type { Replica } from './replica.actor';

type BackupReply = ReplyOf<typeof backupContract>;

/** Each holds back what the store would forget. */
export const maxBackups = 4;
export const backupTtlMs = 60_000;

interface Backup {
  readonly header: BackupHeader;
  readonly source: SnapshotSource;
  readonly hash: Hash;
  /** Read ahead by one piece, so that the last one can say that it is. */
  ahead: Uint8Array | null;
  last: { offset: number; reply: BackupReply } | undefined;
  offset: number;
  askedAt: number;
}

export class Backups {
  private readonly backups = new Map<string, Backup>();

  constructor(
    private readonly replica: Replica,
    private readonly config: ConsensusConfiguration,
  ) {}

  piece({ backup: id, offset }: { backup?: string | undefined; offset: number }): BackupReply {
    this.expire();
    if (id === undefined) return this.begin();
    const backup = this.backups.get(id);
    if (backup === undefined) {
      throw new SkeinError('backup_not_found', 'The replica no longer holds this backup', {
        field: 'backup',
      });
    }
    backup.askedAt = performance.now();
    if (backup.last?.offset === offset) return backup.last.reply;
    if (backup.offset === offset && backup.ahead !== null) return this.next(id, backup);
    throw new SkeinError('invalid_request', 'Pieces are asked for in order', {
      field: 'offset',
      facts: { expected: backup.offset },
    });
  }

  private begin(): BackupReply {
    this.makeRoom();
    if (this.backups.size >= maxBackups) {
      throw new SkeinError('overloaded', 'Too many backups are being read', {
        facts: { limit: maxBackups },
      });
    }
    const source = this.replica.store.beginSnapshot();
    const id = randomUUID();
    const backup: Backup = {
      header: this.header(source),
      source,
      hash: createHash('sha256'),
      ahead: source.next(maxBackupPieceBytes),
      last: undefined,
      offset: 0,
      askedAt: performance.now(),
    };
    this.backups.set(id, backup);
    return this.next(id, backup);
  }

  private next(id: string, backup: Backup): BackupReply {
    const { header, source, hash, offset } = backup;
    const data = backup.ahead ?? new Uint8Array(0);
    backup.ahead = source.next(maxBackupPieceBytes);
    hash.update(data);
    backup.offset += data.length;
    const done = backup.ahead === null;
    const reply = {
      backup: id,
      header,
      offset,
      data: Buffer.from(data).toString('base64'),
      done,
      ...(done ? { size: backup.offset, sha256: hash.digest('hex') } : {}),
    };
    backup.last = { offset, reply };
    return reply;
  }

  private header({ appliedIndex, revision }: SnapshotSource): BackupHeader {
    const { replica, config } = this;
    const { core, store } = replica;
    const { configuration, term } = core.status();
    return {
      clusterId: config.clusterId,
      replicaId: config.replicaId,
      epoch: replica.epoch,
      index: appliedIndex,
      term: core.termAt(appliedIndex) ?? term,
      revision,
      protocolVersion: store.status.protocolVersion,
      takenAt: Date.now(),
      voters: [...configuration.incoming],
      learners: [...configuration.learners],
    };
  }

  /** One that was read to its end is kept only so that its last piece can be asked again: it stands in nobody's way. */
  private makeRoom(): void {
    for (const [id, { ahead }] of this.backups) {
      if (this.backups.size < maxBackups) return;
      if (ahead === null) this.backups.delete(id);
    }
  }

  private expire(): void {
    const now = performance.now();
    for (const [id, { askedAt, source }] of this.backups) {
      if (now - askedAt < backupTtlMs) continue;
      source.close();
      this.backups.delete(id);
    }
  }
}
