import { describe, expect, it } from '@jest/globals';
import type { HistoryEvent } from '@skein/contracts';
import { joinEvents, placeOf, worldUpTo } from './past';
import { emptyWorld, worldOf } from './world';

function event(revision: number, type: string, subject: string, body = {}, position = 0) {
  return { revision, position, at: revision, type, subject, body } satisfies HistoryEvent;
}

const attached = (revision: number, id: string, position = 0) =>
  event(
    revision,
    'endpoint.attached',
    id,
    { networkId: 'n1', host: 'h1', name: id, addresses: [] },
    position,
  );

const story = [
  event(1, 'host.up', 'h1'),
  event(2, 'network.created', 'n1', { name: 'web' }),
  attached(3, 'a'),
  attached(3, 'b', 1),
  event(5, 'endpoint.detached', 'a'),
];

describe('the past', () => {
  it.each([
    [0, []],
    [3, ['a']],
    [4, ['a', 'b']],
    [5, ['b']],
  ])('after %d events has the endpoints of then', (count, endpoints) => {
    expect([...worldUpTo(story, count, emptyWorld).endpoints.keys()]).toEqual(endpoints);
  });

  it('knows the subnets of a network that is still there', () => {
    const subnets = [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }];
    const today = worldOf({
      revision: 9,
      hosts: [],
      networks: [{ id: 'n1', name: 'later', subnets }],
      endpoints: [],
    });
    expect(worldUpTo(story, 2, today).networks.get('n1')).toEqual({
      id: 'n1',
      name: 'web',
      subnets,
    });
  });

  it('goes on with what was heard after what was read, each once and in order', () => {
    const heard = [attached(7, 'd'), attached(3, 'b', 1), attached(6, 'c')];
    expect(joinEvents(story, heard).map(({ revision }) => revision)).toEqual([1, 2, 3, 3, 5, 6, 7]);
  });

  it('finds the place after all of a revision', () => {
    expect([0, 3, 4, 99].map((revision) => placeOf(story, revision))).toEqual([0, 4, 4, 5]);
  });
});
