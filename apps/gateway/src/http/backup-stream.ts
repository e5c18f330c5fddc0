// `GET /v1/cluster/backup`: fetches a replica's backup piece by piece and passes it on in the form of a backup file. The next
// piece is asked for when the last one has left, so that a slow reader is waited for. What was read must fit the replica's
// own checksum; if it does not, or the replica goes away, the answer breaks off without the line that ends a whole file.

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  backupContentType,
  backupContract,
  backupEnding,
  backupFrameHead,
  backupOpening,
  SkeinError,
} from '@skein/contracts';
import type { StreamContext } from './route';

/** A reader that takes nothing for this long is cut off. */
const stallLimitMs = 30_000;
const attempts = 3;

export async function streamBackup(replica: string, context: StreamContext): Promise<void> {
  const { response } = context;
  const sha256 = createHash('sha256');
  const first = await piece(context, replica, undefined, 0);
  context.takeOver();
  response.writeHead(200, {
    'content-type': backupContentType,
    'content-disposition': `attachment; filename="${fileName(first.header)}"`,
    'cache-control': 'no-store',
    'x-request-id': context.requestId,
  });
  await write(response, backupOpening(first.header));
  let offset = 0;
  for (let next = first; ; next = await piece(context, replica, first.backup, offset)) {
    const data = Buffer.from(next.data, 'base64');
    if (next.offset !== offset) throw new SkeinError('internal', 'a backup came out of order');
    if (data.length > 0) {
      sha256.update(data);
      offset += data.length;
      await write(response, backupFrameHead(data.length));
      await write(response, data);
    }
    if (next.done) {
      const digest = sha256.digest('hex');
      if (next.size !== offset || next.sha256 !== digest) {
        throw new SkeinError('internal', 'a backup does not fit its checksum');
      }
      response.end(backupEnding({ size: offset, sha256: digest }));
      return;
    }
    if (data.length === 0) throw new SkeinError('internal', 'a backup does not go on');
  }
}

export function fileName(header: { clusterId: string; revision: number }): string {
  return `${header.clusterId}-${header.revision}.skein-backup`;
}

async function piece(
  { ask }: Pick<StreamContext, 'ask'>,
  instance: string,
  backup: string | undefined,
  offset: number,
) {
  const asked = backup === undefined ? { offset } : { backup, offset };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(backupContract, asked, { instance });
    } catch (thrown) {
      // A beginning that failed has held nobody up: its error is the answer.
      if (backup === undefined || attempt >= attempts || !SkeinError.from(thrown).retryable) {
        throw thrown;
      }
    }
  }
}

async function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  if (response.destroyed) throw new SkeinError('unavailable', 'the reader has gone');
  if (response.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: SkeinError) => () => {
      clearTimeout(stalled);
      response.removeListener('drain', drained);
      response.removeListener('close', gone);
      if (error === undefined) resolve();
      else reject(error);
    };
    const drained = settle();
    const gone = settle(new SkeinError('unavailable', 'the reader has gone'));
    const stalled = setTimeout(
      settle(new SkeinError('deadline_exceeded', 'the reader takes nothing')),
      stallLimitMs,
    );
    response.once('drain', drained);
    response.once('close', gone);
  });
}
