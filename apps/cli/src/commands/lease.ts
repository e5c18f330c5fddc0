// skein lease …: leases, under which keys live as long as somebody renews them.

import { SkeinError } from '@skein/contracts';
import { path, type Json } from '../client/api';
import { fields } from '../output/table';
import { counted, formatDuration, parseDuration } from '../output/units';
import type { Session } from '../session';

export async function grant({ api, out }: Session, ttl: string, options: { name?: string }) {
  const ttlMs = parseDuration(ttl, 'ttl');
  const named = options.name === undefined ? {} : { lease: options.name };
  const granted = await api.post('/v1/leases', { ttlMs, ...named });
  out.show(granted, () => `${granted.lease} granted for ${formatDuration(granted.ttlMs)}`);
}

export async function list({ api, out }: Session) {
  const found = { leases: await api.list('/v1/leases', 'leases') };
  out.show(found, () => {
    const rows = found.leases.map((each: Json) => [
      each.lease,
      formatDuration(each.ttlMs),
      formatDuration(each.remainingMs),
      each.keys,
    ]);
    return out.table(['lease', 'ttl', 'remaining', 'keys'], rows, 'no leases');
  });
}

export async function show({ api, out }: Session, lease: string, options: { keys?: boolean }) {
  const found = await api.get(path`/v1/leases/${lease}`, { keys: options.keys });
  out.show(found, () =>
    fields([
      ['lease', found.lease],
      ['ttl', formatDuration(found.ttlMs)],
      ['remaining', formatDuration(found.remainingMs)],
      ['keys', found.attached === undefined ? found.keys : found.attached.join('\n      ')],
    ]),
  );
}

/** Renews until Ctrl-C, each time a third of the time has passed; with `--once` a single time. */
export async function keepAlive({ api, out }: Session, lease: string, options: { once?: boolean }) {
  const control = new AbortController();
  process.once('SIGINT', () => control.abort());
  let ttlMs = 0;
  let renewedAt = -Infinity;
  while (!control.signal.aborted) {
    try {
      const renewed = await api.post(path`/v1/leases/${lease}:keepalive`, {});
      ttlMs = renewed.ttlMs;
      renewedAt = performance.now();
      if (out.json) out.line(JSON.stringify(renewed));
      else out.line(`${renewed.lease} lives for ${formatDuration(ttlMs)} more`);
    } catch (thrown) {
      // A leader that changes is waited for as long as the lease can still be alive.
      const isOver = performance.now() - renewedAt > ttlMs;
      if (options.once === true || isOver || !SkeinError.from(thrown).retryable) throw thrown;
    }
    if (options.once === true) return;
    await pause(ttlMs / 3, control.signal);
  }
}

export async function revoke({ api, out }: Session, lease: string) {
  const gone = await api.delete(path`/v1/leases/${lease}`);
  out.show(
    gone,
    () => `${lease} revoked, ${counted(gone.deleted, 'key')} deleted, revision ${gone.revision}`,
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
