// Says that a service is well, to whoever can read a file: its time is renewed as long as the process comes round and NATS is
// connected. A shell can look at it; asking the service itself would cost a process and a connection each time.

import { rmSync, utimesSync, writeFileSync } from 'node:fs';

/** How often the file's time is renewed; who finds it older than a few of these takes the service for ill. */
export const healthEveryMs = 2_000;

/** Renews until the answer is called, which removes the file. Throws if the file can't be written. */
export function keepHealthFile(path: string, isWell: () => boolean): () => void {
  writeFileSync(path, '');
  const timer = setInterval(() => {
    if (!isWell()) return;
    const now = new Date();
    utimesSync(path, now, now);
  }, healthEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    rmSync(path, { force: true });
  };
}
