// The snapshots of one simulated replica: saved slice by slice, read for others, received and installed,
// all through the disk's one queue, as the real log does. It must not know what the core makes of it.
import type { LogWrite, NodeId, SnapshotHeader } from '@skein/raft';
import type { SnapshotSource } from '@skein/store';
import { Store } from '@skein/store';
import { crc32 } from './checksum';
import type { ClusterReplica, ReplicaWorld } from './replica';
import { isSameHeader, type StoredChunk, type StoredSnapshot } from './stored-replica';

/** One piece of work for the disk; jobs become durable strictly in their order. */
export interface DiskJob {
  readonly write?: LogWrite;
  readonly persist: () => void;
  /** True when it left damage behind. */
  readonly tear?: () => boolean;
  readonly done?: () => void;
}

export interface ReadTask {
  readonly to: NodeId;
  readonly resume: {
    readonly index: number;
    readonly term: number;
    readonly offset: number;
  } | null;
  readonly maxBytes: number;
}

export interface StoreTask {
  readonly header: SnapshotHeader;
  readonly offset: number;
  readonly size: number;
  readonly data: Uint8Array;
  readonly crc: number;
}

export interface InstallTask {
  readonly header: SnapshotHeader;
  readonly keepSuffix: boolean;
}

export class SnapshotDisk {
  constructor(
    private readonly replica: ClusterReplica,
    private readonly world: ReplicaWorld,
  ) {}

  compact(index: number): void {
    this.replica.disk.write({ persist: () => this.replica.stored.compact(index) });
  }

  save(header: SnapshotHeader, source: SnapshotSource): void {
    const chunks: StoredChunk[] = [];
    let size = 0;
    const pull = (): void => {
      const data = source.next(this.world.conditions.snapshotChunkBytes);
      if (data === null) return finish();
      const chunk = { offset: size, data, crc: crc32(data) };
      size += data.length;
      const persist = (): void => void chunks.push(chunk);
      this.replica.disk.write({ persist, done: pull });
    };
    const finish = (): void => {
      source.close();
      const { stored } = this.replica;
      this.replica.disk.write({
        persist: () => stored.keepSnapshot({ header, size, chunks }),
        done: () => this.replica.call('snapshotSaved', (core) => core.snapshotSaved(header, size)),
      });
    };
    pull();
  }

  read({ to, resume, maxBytes }: ReadTask): void {
    this.replica.later(this.world.random.next() * 2, () => {
      const { snapshot } = this.replica.stored;
      if (snapshot === null) return this.replica.input({ kind: 'snapshotUnavailable', to });
      const { header, size } = snapshot;
      const isHeld = resume !== null && isSameHeader(resume, header);
      const offset = isHeld ? resume.offset : 0;
      const chunk = snapshot.chunks.find(
        (each) => each.offset <= offset && offset < each.offset + each.data.length,
      );
      const ignores = this.world.planted === 'snapshot-crc-ignored';
      const isDamaged = chunk !== undefined && !ignores && crc32(chunk.data) !== chunk.crc;
      if (isDamaged) this.replica.call('snapshotDamaged', (core) => core.snapshotDamaged());
      if (chunk === undefined || isDamaged) {
        return this.replica.input({ kind: 'snapshotUnavailable', to });
      }
      const from = offset - chunk.offset;
      const data = chunk.data.slice(from, from + maxBytes);
      const crc = crc32(data);
      this.replica.input({ kind: 'snapshotChunk', to, header, offset, size, data, crc });
    });
  }

  storeChunk({ header, offset, size, data, crc }: StoreTask): void {
    let next = 0;
    this.replica.disk.write({
      persist: () => {
        next = this.replica.stored.storeChunk(header, { offset, data, crc }, size);
      },
      done: () => {
        const { index, term } = header;
        this.replica.input({ kind: 'snapshotStored', index, term, offset: next });
      },
    });
  }

  install({ header, keepSuffix }: InstallTask): void {
    let installed: StoredSnapshot | null = null;
    this.replica.disk.write({
      persist: () => {
        installed = this.replica.stored.received(header);
        if (installed !== null) this.replica.stored.install(installed, keepSuffix);
      },
      done: () => this.finishInstall(header, keepSuffix, installed),
    });
  }

  private finishInstall(
    header: SnapshotHeader,
    keepSuffix: boolean,
    installed: StoredSnapshot | null,
  ): void {
    const { index, term } = header;
    if (installed === null) {
      return this.replica.call('rejected', (core) => core.installRejected(header));
    }
    const store = loadStore(installed);
    this.replica.memory.install(index, term, keepSuffix);
    this.replica.call('installed', (core) => core.installed(header, store));
  }
}

/** The state that a snapshot holds. Throws when it can't be read. */
export function loadStore(snapshot: StoredSnapshot): Store {
  const loader = Store.loader();
  for (const { data } of snapshot.chunks) loader.push(data);
  return loader.finish();
}
