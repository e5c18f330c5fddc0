// Turns on a network named `web`, for tests: one command at a time on a view that was just read, committed to the real store.

import { cause, FixtureStore, keys } from './fixture';
import { NetworkView } from './network-view';
import { type SubnetSpec } from './subnet-plan';
import { Turn, type AddressCommand } from './turn';

export const restMs = 1_000;
/** Renewed by `reset`. */
export let store = new FixtureStore();

/** An empty store, with an activation of the network that is yet to be made. */
export function reset(): void {
  store = new FixtureStore();
  store.put(keys.actor('network', 'web'), {});
}

export const create = (...subnets: SubnetSpec[]) => store.create({ name: 'web', subnets });
export const view = () => {
  const content = store.content('web');
  if (content === null) throw new Error('no network');
  return new NetworkView(content);
};
export const turnOn = (one: NetworkView, now = 10_000) => {
  const fencing = store.get(keys.actor('network', 'web'))?.createRevision ?? 0;
  const key = keys.actor('network', 'web');
  const fence = { key, target: 'createRevision', operator: '=', value: fencing } as const;
  return new Turn(one, { keys, fence, fencing, now, monotonicMs: now, restMs });
};
export const allocate = (...requests: (string | [string, object])[]): AddressCommand => ({
  kind: 'allocate',
  requests: requests.map((request) => {
    const [endpointId, rest] = typeof request === 'string' ? [request, {}] : request;
    return { endpointId, host: 'h1', ...rest };
  }),
  cause,
});
export const release = (...endpointIds: string[]): AddressCommand => ({
  kind: 'release',
  endpointIds,
  cause: { request: 'r2', at: 2_000 },
});

/** Runs one command in a turn of its own on a view just read. */
export function run(command: AddressCommand, now = 10_000) {
  const one = view();
  const turn = turnOn(one, now);
  const outcome = turn.run(command);
  if (outcome?.ok === true && !store.commit(turn.transaction()).succeeded) {
    throw new Error('not committed');
  }
  return outcome;
}
export const addressesOf = (outcome: ReturnType<typeof run>): string[] =>
  outcome?.ok === true && outcome.reply.kind === 'allocate'
    ? outcome.reply.allocations.flatMap(({ addresses }) => addresses)
    : [outcome?.ok === false ? outcome.refusal.code : 'nothing'];
export const refusalOf = (outcome: ReturnType<typeof run>) =>
  outcome?.ok === false ? outcome.refusal : outcome;
