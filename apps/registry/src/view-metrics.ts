// What Prometheus reads of a replica of the registry: the committed state in numbers.

import type { Meter } from '@skein/metrics';
import type { CommittedView } from '@skein/registry';

export function measureView(
  meter: Meter,
  { view, isOnDuty }: { readonly view: CommittedView; readonly isOnDuty: () => boolean },
): void {
  const hosts = (state: 'up' | 'down'): number =>
    [...view.state.hosts()].filter((host) => host.state === state).length;
  meter.gauge('inOffice', () => Number(isOnDuty()));
  meter.gauge('hosts', () => [
    [{ state: 'up' }, hosts('up')],
    [{ state: 'down' }, hosts('down')],
  ]);
  meter.gauge('networks', () => [...view.state.networks()].length);
  meter.gauge('endpoints', () => [...view.state.endpoints()].length);
}
