// Whose log a directory holds, and the keys to read it: one checksummed line, kept both in the database and in a file beside
// it, since what is damaged may be either. Of two copies the one of the higher generation counts.

import { crc32 } from 'node:zlib';
import { join } from 'node:path';
import { readFileIfAny, replaceFile } from './durable-file';
import type { WrappedKey } from './keyring';
import { RaftLogError } from './raft-log-error';

export const schemaVersion = 2;

export interface Identity {
  readonly schema: number;
  readonly clusterId: string;
  readonly replicaId: string;
  /** Incarnation of the cluster: grows when it is recovered from a part of itself. */
  readonly epoch: number;
  /** Grows by one a change. */
  readonly generation: number;
  /** Data keys, wrapped; new writes use the last one. Empty: nothing is encrypted. */
  readonly keys: readonly WrappedKey[];
  /** Why the database is being replaced. Set while, and only while, a complete replacement waits or is in place. */
  readonly replacing: string | null;
}

export const sidecarName = 'raft-log.identity';

export function encodeIdentity(identity: Identity): string {
  const text = JSON.stringify(identity);
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

/** Null for anything that is not exactly what was written. Throws a RaftLogError for a later release's. */
export function decodeIdentity(line: string | null): Identity | null {
  if (line === null || !/^[0-9a-f]{8} \{.*\}\n$/s.test(line)) return null;
  const text = line.slice(9, -1);
  if (crc32(text) !== Number.parseInt(line.slice(0, 8), 16)) return null;
  const identity = JSON.parse(text) as Identity;
  if (identity.schema === schemaVersion) return identity;
  const { schema } = identity;
  throw new RaftLogError('schema_unknown', `The log has schema ${schema}`, { schema });
}

export function readSidecar(directory: string): Identity | null {
  return decodeIdentity(readFileIfAny(join(directory, sidecarName)));
}

/** A file is there, whatever it holds: a log was in this directory. */
export function hasSidecar(directory: string): boolean {
  return readFileIfAny(join(directory, sidecarName)) !== null;
}

export function writeSidecar(directory: string, identity: Identity): void {
  replaceFile(join(directory, sidecarName), encodeIdentity(identity));
}

export function newerIdentity(one: Identity | null, other: Identity | null): Identity | null {
  if (one === null || other === null) return one ?? other;
  return other.generation > one.generation ? other : one;
}

export function demandOwner(
  found: Pick<Identity, 'clusterId' | 'replicaId'>,
  wanted: { directory: string; clusterId: string; replicaId: string },
): void {
  const { clusterId, replicaId } = found;
  if (clusterId === wanted.clusterId && replicaId === wanted.replicaId) return;
  const message = `The directory belongs to replica '${replicaId}' of cluster '${clusterId}'`;
  const { directory } = wanted;
  throw new RaftLogError('foreign_directory', message, { directory, clusterId, replicaId });
}
