import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SkeinError } from '@skein/contracts';
import { World } from '../testing/world';

let world: World;
const subnets = (cidr: string) => [
  { cidr, gateway: cidr.replace('.0/', '.1/').split('/')[0]!, reserved: {} },
];
const sandbox = (name: string) => ({ sandbox: { netns: `/run/netns/${name}` } });
const codeOf = (attached: Promise<unknown>) =>
  attached.then(
    () => 'attached',
    (thrown: unknown) => SkeinError.from(thrown).toBody(),
  );

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web', { subnets: subnets('10.1.0.0/16') });
  await world.network('n2', 'lab', { subnets: subnets('10.1.2.0/24'), allowOverlap: true });
  await world.network('n3', 'db', { subnets: subnets('10.9.0.0/24') });
  await world.host('h1');
  await world.host('h2');
  await world.attach('web', 'h1', { name: 'a', ...sandbox('box') });
});
afterEach(() => world.close());

describe('networks whose subnets overlap', () => {
  it('do not meet in one sandbox, whichever came first', async () => {
    const refusal = {
      code: 'subnet_overlap',
      field: 'endpoints.0.sandbox.netns',
      facts: { cidr: '10.1.2.0/24', overlaps: '10.1.0.0/16', network: 'web', endpoint: 'a' },
    };
    expect(await codeOf(world.attach('lab', 'h1', sandbox('box')))).toMatchObject(refusal);
    await world.attach('lab', 'h1', { name: 'b', ...sandbox('other') });
    expect(await codeOf(world.attach('web', 'h1', sandbox('other')))).toMatchObject({
      code: 'subnet_overlap',
      facts: { network: 'lab', endpoint: 'b' },
    });
  });

  it.each([
    ['another sandbox of the host', 'lab', 'h1', sandbox('other')],
    ['a sandbox of that name on another host', 'lab', 'h2', sandbox('box')],
    ['no sandbox yet', 'lab', 'h1', {}],
    ['a network that does not overlap', 'db', 'h1', sandbox('box')],
  ])('leave alone %s', async (_, network, host, fields) => {
    expect(await codeOf(world.attach(network, host, fields))).toBe('attached');
  });
});
