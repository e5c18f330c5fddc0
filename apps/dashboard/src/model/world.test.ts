import { describe, expect, it } from '@jest/globals';
import type { HistoryEvent } from '@skein/contracts';
import { afterEvents, byName, isSuspended, worldOf, type Snapshot } from './world';

const snapshot: Snapshot = {
  revision: 10,
  hosts: [{ id: 'h1', name: 'h1', state: 'up', vtep: '192.0.2.1' }],
  networks: [{ id: 'n1', name: 'web' }],
  endpoints: [
    { id: 'e1', networkId: 'n1', host: 'h1', name: 'a', addresses: ['10.1.0.2/24'], mac: '02::1' },
  ],
};

function event(
  revision: number,
  type: string,
  subject: string,
  body: Record<string, unknown> = {},
): HistoryEvent {
  return { revision, position: 0, at: revision * 1_000, type, subject, body };
}

const attached = (revision: number, id: string, networkId = 'n1') =>
  event(revision, 'endpoint.attached', id, {
    networkId,
    endpointId: id,
    name: id,
    host: 'h1',
    addresses: ['10.1.0.3/24'],
  });

describe('world', () => {
  it('takes an endpoint in and lets it go', () => {
    const world = afterEvents(worldOf(snapshot), [attached(11, 'e2')]);
    expect(world.endpoints.get('e2')).toMatchObject({ name: 'e2', addresses: ['10.1.0.3/24'] });
    const later = afterEvents(world, [event(12, 'endpoint.detached', 'e2')]);
    expect([...later.endpoints.keys()]).toEqual(['e1']);
    expect(later.revision).toBe(12);
  });

  it('keeps what only the snapshot told when an event is heard that it held already', () => {
    const world = afterEvents(worldOf(snapshot), [attached(9, 'e1')]);
    expect(world.endpoints.get('e1')).toMatchObject({ mac: '02::1' });
    expect(world.revision).toBe(10);
  });

  it('is the same after events that are heard twice', () => {
    const events = [attached(11, 'e2'), event(12, 'host.down', 'h1', { reason: 'silent' })];
    const once = afterEvents(worldOf(snapshot), events);
    expect(afterEvents(once, events)).toEqual(once);
  });

  it('suspends the endpoints of a host that is down, and tells why until it is back', () => {
    const down = afterEvents(worldOf(snapshot), [
      event(11, 'host.down', 'h1', { reason: 'silent' }),
    ]);
    const [endpoint] = [...down.endpoints.values()];
    expect(isSuspended(down, endpoint!)).toBe(true);
    expect(down.hosts.get('h1')).toMatchObject({ state: 'down', reason: 'silent', since: 11_000 });
    const up = afterEvents(down, [event(12, 'host.up', 'h1')]);
    expect(isSuspended(up, endpoint!)).toBe(false);
    expect(up.hosts.get('h1')).not.toHaveProperty('reason');
    expect(up.hosts.get('h1')).toMatchObject({ vtep: '192.0.2.1' });
  });

  it('loses a network with its endpoints', () => {
    const world = afterEvents(worldOf(snapshot), [event(11, 'network.deleted', 'n1')]);
    expect(world.networks.size).toBe(0);
    expect(world.endpoints.size).toBe(0);
  });

  it('does not change what it was made from', () => {
    const before = worldOf(snapshot);
    afterEvents(before, [event(11, 'host.removed', 'h1'), attached(12, 'e2')]);
    expect(before).toEqual(worldOf(snapshot));
  });

  it('orders names as people count', () => {
    const names = byName(['h10', 'h2', 'h1'].map((name) => ({ name }))).map(({ name }) => name);
    expect(names).toEqual(['h1', 'h2', 'h10']);
  });
});
