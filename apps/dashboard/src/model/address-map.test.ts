import { describe, expect, it } from '@jest/globals';
import { addressMap, countStates, type Holding } from './address-map';

const subnet = {
  cidr: '10.1.0.0/24',
  gateway: '10.1.0.1',
  reserved: { printer: '10.1.0.9' },
};

function holding(address: string, state: Holding['state'] = 'held'): Holding {
  return { address, state, kind: 'endpoint', endpointId: `e-${address}` };
}

describe("a subnet's map", () => {
  it('has a cell an address, each in its state', () => {
    const holdings = [holding('10.1.0.2'), holding('10.1.0.3', 'resting'), holding('10.2.0.4')];
    const map = addressMap(subnet, subnet.cidr, holdings);
    if (map.kind !== 'cells') throw new Error('expected cells');
    const states = map.cells.slice(0, 5).map(({ state }) => state);
    expect(states).toEqual(['unusable', 'gateway', 'held', 'resting', 'free']);
    expect(map.cells[9]).toMatchObject({ address: '10.1.0.9', state: 'reserved' });
    expect(map.cells.at(-1)).toMatchObject({ address: '10.1.0.255', state: 'unusable' });
    expect(countStates(map.cells)).toEqual({
      held: 1,
      resting: 1,
      reserved: 1,
      gateway: 1,
      free: 250,
      unusable: 2,
    });
  });

  it('is of blocks where cells would be too many, down to cells', () => {
    const large = { cidr: '10.0.0.0/8', gateway: '10.0.0.1', reserved: {} };
    const holdings = [holding('10.3.4.5'), holding('10.3.9.9', 'resting')];
    const map = addressMap(large, large.cidr, holdings);
    if (map.kind !== 'blocks') throw new Error('expected blocks');
    expect(map.blocks).toHaveLength(256);
    expect(map.blocks[3]).toMatchObject({
      cidr: '10.3.0.0/16',
      held: 1,
      resting: 1,
      size: '65536',
    });
    const opened = addressMap(large, '10.3.4.0/24', holdings);
    if (opened.kind !== 'cells') throw new Error('expected cells');
    expect(opened.cells[5]?.state).toBe('held');
    // The edges of a block are ordinary addresses of its subnet.
    expect(opened.cells[0]?.state).toBe('free');
  });

  it('counts blocks of IPv6 without losing a digit', () => {
    const wide = { cidr: 'fd00::/64', gateway: 'fd00::1', reserved: {} };
    const map = addressMap(wide, wide.cidr, [holding('fd00::2')]);
    if (map.kind !== 'blocks') throw new Error('expected blocks');
    expect(map.blocks[0]).toMatchObject({ cidr: 'fd00::/72', held: 1, size: String(2n ** 56n) });
  });
});
