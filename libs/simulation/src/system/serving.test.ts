import { describe, expect, it } from '@jest/globals';
import { roomIn } from './serving';

describe('the room of a network', () => {
  const held = (address: string) => ({ address, state: 'held' as const });

  it('is what nobody holds of its IPv4 subnets, the gateway’s and reserved ones being held', () => {
    const subnets = [{ cidr: '10.1.0.0/30' }, { cidr: '10.2.0.0/29' }, { cidr: 'fd00::/64' }];
    expect(roomIn(subnets, [])).toBe(8);
    expect(roomIn(subnets, [held('10.1.0.1'), held('fd00::1')])).toBe(7);
  });

  it('counts what rests, which is given out before anybody is refused', () => {
    const records = [held('10.1.0.1'), { address: '10.1.0.2', state: 'resting' as const }];
    expect(roomIn([{ cidr: '10.1.0.0/30' }], records)).toBe(1);
    expect(roomIn([{ cidr: '10.1.0.0/30' }], [held('10.1.0.1'), held('10.1.0.2')])).toBe(0);
  });
});
