// What Prometheus reads of an agent: what it answers anyway when it is asked how it is, without its rows.

import type { Meter } from '@skein/metrics';
import type { HostAgent } from './host-agent';

export function measureAgent(meter: Meter, agent: Pick<HostAgent, 'status' | 'dropped'>): void {
  const status = () => agent.status({ rows: false });
  meter.gauge('programmedRevision', async () => (await status()).programmed);
  meter.gauge('repairs', async () =>
    Object.entries((await status()).repairs).map(([kind, count]) => [{ kind }, count] as const),
  );
  meter.gauge('spoofed', () =>
    [...agent.dropped.spoofed].map(([network, count]) => [{ network }, count] as const),
  );
  meter.gauge('strangers', () => agent.dropped.strangers);
  meter.gauge('members', async () => {
    const counts = new Map<string, number>();
    for (const { state } of (await status()).members) {
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return [...counts].map(([state, count]) => [{ state }, count] as const);
  });
}
