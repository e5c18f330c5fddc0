// skein cluster backup: the whole store as a file, written beside its place and moved there once it has proved whole.

import { once } from 'node:events';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { SkeinError } from '@skein/contracts';
import { BackupReader, type Backup } from '../client/backup-reader';
import { formatBytes } from '../output/units';
import type { Session } from '../session';

const stallLimitMs = 60_000;

export async function backup(
  session: Session,
  file: string | undefined,
  options: { replica?: string },
) {
  const { api, out } = session;
  const control = new AbortController();
  process.once('SIGINT', () => control.abort(new SkeinError('unavailable', 'called off')));
  const query = { replica: options.replica };
  const response = await api.open('/v1/cluster/backup', query, control.signal, '*/*');
  const body = response.body as AsyncIterable<Uint8Array>;
  if (file === '-') {
    await receive(session, body, control, async (bytes) => {
      if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
    });
    return;
  }
  const path = file ?? nameOf(response);
  const partial = `${path}.partial`;
  try {
    const target = await opened(partial);
    const taken = await receive(session, body, control, (bytes) => target.writeFile(bytes))
      .then(async (whole) => {
        await target.sync();
        return whole;
      })
      .finally(() => target.close());
    await rename(partial, path);
    out.show({ file: path, ...taken.header, ...taken.trailer }, () => described(path, taken));
  } catch (thrown) {
    control.abort(thrown);
    await rm(partial, { force: true });
    throw thrown;
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w', 0o600);
  } catch (cause) {
    const message = `The backup can't be written: ${(cause as Error).message}`;
    throw new SkeinError('invalid_request', message, { field: 'file', cause });
  }
}

/** Checks while it writes. The gateway breaks off where it can't go on, so that the end is missing. */
async function receive(
  { out }: Session,
  body: AsyncIterable<Uint8Array>,
  control: AbortController,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<Backup> {
  const reader = new BackupReader();
  const bar = out.bar('taking a backup');
  const stalled = setTimeout(
    () => control.abort(new SkeinError('deadline_exceeded', 'The backup does not go on')),
    stallLimitMs,
  );
  try {
    for await (const bytes of body) {
      stalled.refresh();
      reader.push(bytes);
      await write(bytes);
      bar.at(0, 0, formatBytes(reader.size));
    }
    return reader.finish();
  } catch (thrown) {
    if (thrown instanceof SkeinError) throw thrown;
    if (control.signal.reason instanceof SkeinError) throw control.signal.reason;
    const { code: reason } = thrown as { code?: string };
    const got = { received: reader.size, ...(reason === undefined ? {} : { reason }) };
    throw new SkeinError('unavailable', 'The backup broke off; nothing was kept', {
      facts: got,
      cause: thrown,
    });
  } finally {
    clearTimeout(stalled);
    bar.end();
  }
}

function nameOf(response: Response): string {
  const header = response.headers.get('content-disposition') ?? '';
  return /filename="([\w.-]+)"/.exec(header)?.[1] ?? 'skein.skein-backup';
}

export function described(path: string, { header, trailer }: Backup): string {
  const { clusterId, replicaId, revision, index } = header;
  return `${path}: ${formatBytes(trailer.size)}, revision ${revision} of ${clusterId} (from ${replicaId}, entry ${index}), checksum verified`;
}
