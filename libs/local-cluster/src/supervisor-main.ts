// Entry point of the private world's first process. File descriptors 4 and 5 are the gateway's and NATS' listening sockets,
// bound outside; 3 is the IPC channel to whoever started the cluster.

import { readFileSync, rmSync } from 'node:fs';
import { SkeinError } from '@skein/contracts';
import { Supervisor, type SupervisorConfig } from './supervisor';

interface MainConfig extends SupervisorConfig {
  /** Always end when the starter goes away (a demo); else only until it has let go (a cluster that was brought up). */
  readonly attached: boolean;
  /** Remove the data directory at the end. */
  readonly ephemeral: boolean;
}

const config = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as MainConfig;
let adopted = false;
let ending = false;

async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await supervisor.stop().catch(() => undefined);
  if (config.ephemeral) rmSync(config.dataDir, { recursive: true, force: true });
  process.exit(code);
}

const supervisor = new Supervisor(config, () => void end(0));

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => (signal === 'SIGTERM' ? void end(0) : undefined));
}
process.on('message', (message: { type?: string }) => {
  if (message.type === 'adopted') adopted = !config.attached;
});
process.on('disconnect', () => {
  if (!adopted) void end(1);
});

const tell = (message: object) => {
  if (process.connected) process.send?.(message);
};

try {
  await supervisor.start((step) => tell({ type: 'progress', step }));
  tell({ type: 'ready' });
} catch (error) {
  tell({ type: 'failed', error: SkeinError.from(error).toBody() });
  // The starter saves the logs and ends this world; if it is gone already, nobody else does.
  if (!process.connected) await end(1);
}
