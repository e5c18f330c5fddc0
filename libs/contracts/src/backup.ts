// The form of a backup file: one line of JSON, the state in frames, one line of JSON. A frame is its length in four bytes,
// big end first, and its bytes; length 0 ends them. The last line carries size and SHA-256 of the state and, as a file that
// was cut off has none, shows that all of it is there. Knows neither files nor hashes.

import { z } from 'zod';
import { idSchema, revisionSchema, timeSchema } from './names';

export const backupFormat = 1;
export const maxBackupFrameBytes = 4 * 1_024 * 1_024;
export const maxBackupLineBytes = 64 * 1_024;
export const backupContentType = 'application/vnd.skein.backup';

/** Which state it is: of which cluster, as of which entry. */
export const backupHeaderSchema = z.object({
  clusterId: idSchema,
  /** The replica that it was read from. */
  replicaId: idSchema,
  epoch: z.int().min(0),
  /** Last log entry that is in it. */
  index: z.int(),
  term: z.int(),
  revision: revisionSchema,
  protocolVersion: z.int(),
  takenAt: timeSchema,
  voters: z.array(idSchema),
  learners: z.array(idSchema),
});
export type BackupHeader = z.output<typeof backupHeaderSchema>;

export const backupFileHeaderSchema = backupHeaderSchema.extend({
  skeinBackup: z.literal(backupFormat),
});
export const backupTrailerSchema = z.object({
  /** Bytes of the state, without frames. */
  size: z.int(),
  /** In hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type BackupTrailer = z.output<typeof backupTrailerSchema>;

const encoder = new TextEncoder();

export function backupOpening(header: BackupHeader): Uint8Array {
  return encoder.encode(`${JSON.stringify({ skeinBackup: backupFormat, ...header })}\n`);
}

/** The four bytes in front of a frame. */
export function backupFrameHead(length: number): Uint8Array {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, length);
  return head;
}

export function backupEnding(trailer: BackupTrailer): Uint8Array {
  const line = encoder.encode(`${JSON.stringify(trailer)}\n`);
  const ending = new Uint8Array(4 + line.length);
  ending.set(line, 4);
  return ending;
}
