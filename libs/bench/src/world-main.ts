// What runs inside the private world, as its first process: loopback up, the measurements, the report to whoever waits outside.
// When that one goes away, everything here ends and its data goes.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { SkeinError } from '@skein/contracts';
import { StoreBench, type BenchSettings } from './bench-store';
import type { WorldMessage } from './world';

export async function runWorld(ip: string, settings: BenchSettings): Promise<void> {
  execFileSync(ip, ['link', 'set', 'lo', 'up']);
  const bench = new StoreBench(settings, (text) => void tell({ type: 'progress', text }));
  process.on('disconnect', () => {
    void bench
      .stop()
      .catch(() => undefined)
      .then(() => rmSync(settings.dataDir, { recursive: true, force: true, maxRetries: 20 }))
      .finally(() => process.exit(1));
  });
  try {
    await tell({ type: 'report', report: await bench.run() });
  } catch (thrown) {
    await bench.stop().catch(() => undefined);
    const error =
      thrown instanceof SkeinError ? thrown : new SkeinError('internal', String(thrown));
    await tell({ type: 'failed', error: error.toBody() });
  }
  process.exit(0);
}

function tell(message: WorldMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, () => resolve());
  });
}
