// What the conversations over NATS say of a service: how long each answer took, and those that the names of the field have words
// for – a commit, a push, the programming of a kernel.

import { catalog, type Metric, type MetricEntry, type ServiceName } from './catalog';
import type { Meter } from './meter';

/** One request that was answered: `service.verb`, milliseconds, and `ok` or the error's code. */
export interface Conversation {
  readonly contract: string;
  readonly ms: number;
  readonly code: string;
}

const answered: Readonly<Record<string, Metric>> = {
  'store.put': 'commitDuration',
  'store.delete': 'commitDuration',
  'store.txn': 'commitDuration',
  'store.batch': 'commitDuration',
  'host-agent.program': 'programDuration',
};
const asked: Readonly<Record<string, Metric>> = { 'host-agent.program': 'pushDuration' };

export function measureAnswer(meter: Meter, service: ServiceName, each: Conversation): void {
  measure(meter, service, { each, all: 'answerDuration', special: answered[each.contract] });
}

export function measureAsking(meter: Meter, service: ServiceName, each: Conversation): void {
  measure(meter, service, { each, all: 'askDuration', special: asked[each.contract] });
}

function measure(
  meter: Meter,
  service: ServiceName,
  { each, all, special }: { each: Conversation; all: Metric; special: Metric | undefined },
): void {
  const { contract, code } = each;
  const seconds = each.ms / 1_000;
  meter.observe(all, seconds, { contract, code });
  if (special === undefined) return;
  const entry: MetricEntry = catalog[special];
  if (entry.services.includes(service)) meter.observe(special, seconds, { code });
}
