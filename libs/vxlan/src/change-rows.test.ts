// The short way leads where the plan leads: over arbitrary sequences of endpoints that come, go, move and change hands.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changeRows, desiredOf, plan, settled, type Change, type Desired } from './index';
import type { EndpointChange, RowsChanged } from './change-rows';
import type { OverlayEndpoint, OverlayShare } from './desired';

const settings = {
  ...{ vtep: '192.0.2.1', vxlanPort: 4789, netnsPrefix: 'sk-' },
  ...{ hasProbes: true, filtersSources: true },
};
const hosts = ['h1', 'h2', 'h3'].map((id, at) => ({ id, vtep: `192.0.2.${at + 1}` }));
const networks = ['n1', 'n2'].map((id, at) => ({
  id,
  vni: 100 + at,
  mtu: 1450,
  subnets: [{ cidr: `10.${at}.0.0/16`, gateway: `10.${at}.0.1` }],
}));

function endpoint(id: string, host: string, networkId: string, slot: number): OverlayEndpoint {
  const net = networks.findIndex((network) => network.id === networkId);
  const mac = `02:42:0a:0${net}:00:${(slot + 16).toString(16)}`;
  return { id, networkId, host, addresses: [`10.${net}.0.${slot + 16}/16`], mac };
}

/** Every host stays on both networks, whatever happens. */
const anchors = hosts.flatMap(({ id }, at) =>
  networks.map((network) => endpoint(`anchor-${id}-${network.id}`, id, network.id, 100 + at)),
);

const share = (endpoints: Iterable<OverlayEndpoint>): OverlayShare => ({
  hosts,
  networks,
  endpoints: [...anchors, ...endpoints],
});

type Slot = {
  id: string;
  host: string;
  networkId: string;
  engine: 'none' | 'waits' | 'runs';
} | null;

/** What each slot holds: at most one endpoint, since an address has one holder. */
const placement = fc.array(
  fc.option(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      host: fc.constantFrom('h1', 'h2', 'h3'),
      networkId: fc.constantFrom('n1', 'n2'),
      engine: fc.constantFrom('none', 'waits', 'runs'),
    }),
  ),
  { minLength: 6, maxLength: 6 },
);

function placed(slots: readonly Slot[]) {
  const byId = new Map<string, OverlayEndpoint>();
  for (const [slot, each] of slots.entries()) {
    if (each === null || byId.has(each.id)) continue;
    const plain = endpoint(each.id, each.host, each.networkId, slot);
    const engine = each.engine === 'none' ? {} : ({ engine: 'docker' } as const);
    const sandbox = each.engine === 'runs' ? { sandbox: { netns: `/run/netns/${each.id}` } } : {};
    byId.set(each.id, { ...plain, ...engine, ...sandbox });
  }
  return byId;
}

/** An own endpoint that has another MAC now, or is in a sandbox from the start. */
function needsThePlan({ before, after }: EndpointChange): boolean {
  if (after?.host !== 'h1' || after.engine === undefined) return false;
  const isPort = before?.host === 'h1' && before.engine !== undefined;
  if (!isPort) return after.sandbox !== undefined;
  return before.mac !== after.mac || before.networkId !== after.networkId;
}

/** The order of a network's endpoints says nothing. */
const sorted = (desired: Desired) =>
  [...desired.networks].map(([netns, network]) => [
    netns,
    { ...network, endpoints: network.endpoints.toSorted((a, b) => (a.id < b.id ? -1 : 1)) },
  ]);

const told = (result: RowsChanged | null) =>
  result?.changes.map(({ kind, action }) => `${kind} ${action}`);

const textOf = ({ reason: _, ...change }: Change): string =>
  JSON.stringify(change, Object.keys(change).sort());

describe('changeRows', () => {
  it('changes what the plan would, and ends where the share says', () => {
    let short = 0;
    fc.assert(
      fc.property(fc.array(placement, { minLength: 2, maxLength: 6 }), (states) => {
        const [first, ...later] = states.map(placed);
        let before = first!;
        let desired = desiredOf(share(before.values()), 'h1', settings);
        for (const after of later) {
          const wanted = desiredOf(share(after.values()), 'h1', settings);
          const planned = plan(wanted, settled(desired));
          const ids = new Set([...before.keys(), ...after.keys()]);
          const changed: EndpointChange[] = [...ids].map((id) => ({
            before: before.get(id),
            after: after.get(id),
          }));
          const result = changeRows(desired, changed, 'h1');
          expect(result !== null || changed.some(needsThePlan)).toBe(true);
          if (result !== null) {
            short += 1;
            expect(sorted(result.desired)).toEqual(sorted(wanted));
            expect(result.changes.map(textOf).sort()).toEqual(planned.map(textOf).sort());
          }
          desired = result?.desired ?? wanted;
          before = after;
        }
      }),
      { numRuns: 400 },
    );
    expect(short).toBeGreaterThan(400);
  });

  it('plugs an engine’s endpoint in, and takes it away', () => {
    const desired = desiredOf(share([]), 'h1', settings);
    const own = { ...endpoint('a', 'h1', 'n1', 0), engine: 'docker' as const };
    const plugged = changeRows(desired, [{ before: undefined, after: own }], 'h1');
    expect(told(plugged)).toEqual(['veth put', 'source put', 'port put', 'fdb put']);
    const runs = { ...own, sandbox: { netns: '/run/netns/a' } };
    const running = changeRows(plugged!.desired, [{ before: own, after: runs }], 'h1');
    expect(told(running)).toEqual([]);
    const gone = changeRows(running!.desired, [{ before: runs, after: undefined }], 'h1');
    expect(told(gone)).toEqual(['veth remove', 'fdb remove', 'source remove']);
    expect(sorted(gone!.desired)).toEqual(sorted(desiredOf(share([]), 'h1', settings)));
  });

  it('leaves to the plan what is more than rows', () => {
    const desired = () => desiredOf(share([]), 'h1', settings);
    const own = { ...endpoint('a', 'h1', 'n1', 0), sandbox: { netns: '/run/netns/a' } };
    const strange = endpoint('a', 'h9', 'n1', 0);
    const elsewhere = { ...endpoint('a', 'h2', 'n1', 0), networkId: 'n9' };
    for (const one of [own, strange, elsewhere]) {
      expect(changeRows(desired(), [{ before: undefined, after: one }], 'h1')).toBeNull();
      expect(changeRows(desired(), [{ before: one, after: undefined }], 'h1')).toBeNull();
    }
  });
});
