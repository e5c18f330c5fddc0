// Endpoints that a host's engine holds, over a store in memory with played agents: asked for twice, described, detached.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SkeinError } from '@skein/contracts';
import { Deadline } from '@skein/messaging';
import { context, World } from '../testing/world';

let world: World;

beforeEach(async () => {
  world = await World.open();
  await world.network('n1', 'web');
  await world.network('n2', 'closed', { attachable: false });
  await world.network('n3', 'ssd', { labels: { hosts: 'disk=ssd' } });
  await world.host('h1', { labels: { disk: 'ssd' } });
  await world.host('h2');
});
afterEach(() => world.close());

const own = () => world.domain.ownEndpoints;
const attach = (host: string, endpointId: string, network = 'web') =>
  own().attach({ host, network, endpointId, engine: 'docker', waitMs: 300 }, context());
const describe_ = (endpointId: string, fields: object, host = 'h1') =>
  own().describe({ host, network: 'web', endpointId, ...fields }, context());
const detach = (host: string, endpointId: string) =>
  own().detach({ host, network: 'web', endpointId, waitMs: 300 }, context());
const codeOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'none',
    (thrown: unknown) => SkeinError.from(thrown).code,
  );
const enrolled = async (host: string) =>
  (await world.domain.enrolments.of(host, Deadline.after(1_000))).networks.map(({ name }) => name);

describe('attach', () => {
  it('answers the same endpoint to whoever asks again', async () => {
    const first = await attach('h1', 'd1');
    const again = await attach('h1', 'd1');
    expect(again.endpoint).toEqual(first.endpoint);
    expect(first.endpoint).toMatchObject({ id: 'd1', host: 'h1', engine: 'docker' });
    expect(world.agent('h1').kept.endpoint('d1')?.engine).toBe('docker');
    await attach('h2', 'd2');
    expect(world.agent('h2').kept.endpoint('d1')).not.toHaveProperty('engine');
  });

  it('refuses networks that are not attachable or not for the host, and ids of others', async () => {
    expect(await codeOf(attach('h1', 'd1', 'closed'))).toBe('network_not_attachable');
    expect(await codeOf(attach('h2', 'd1', 'ssd'))).toBe('host_not_enrolled');
    expect(await codeOf(attach('h1', 'd1', 'ssd'))).toBe('none');
    expect(await codeOf(attach('h2', 'd1', 'ssd'))).toBe('host_mismatch');
  });
});

describe('describe', () => {
  it('gives names that are free and tells of those that are not', async () => {
    await world.attach('web', 'h2', { name: 'db', aliases: ['store'] });
    await attach('h1', 'd1');
    const { endpoint, taken } = await describe_('d1', { name: 'db', aliases: ['store', 'front'] });
    expect(endpoint).toMatchObject({ name: 'ep-d1', aliases: ['front'] });
    expect(taken.map(({ name }) => name)).toEqual(['db', 'store']);
  });

  it('moves the names, and costs nothing when nothing is new', async () => {
    await attach('h1', 'd1');
    await describe_('d1', { name: 'one', service: 'shop', sandbox: { netns: '/run/x' } });
    const { revision } = world.store;
    await describe_('d1', { name: 'one', service: 'shop', sandbox: { netns: '/run/x' } });
    expect(world.store.revision).toBe(revision);
    await describe_('d1', { name: 'two' });
    expect(await codeOf(world.attach('web', 'h2', { name: 'one' }))).toBe('none');
    expect(await codeOf(world.attach('web', 'h2', { name: 'two' }))).toBe('endpoint_name_taken');
    expect(await codeOf(describe_('d1', { name: 'three' }, 'h2'))).toBe('host_mismatch');
  });
});

describe('detach', () => {
  it('does no more the second time, and nothing to others’', async () => {
    await attach('h1', 'd1');
    expect(await codeOf(detach('h2', 'd1'))).toBe('host_mismatch');
    expect(await detach('h1', 'd1')).toMatchObject({ wasAttached: true });
    expect(await detach('h1', 'd1')).toMatchObject({ wasAttached: false });
    expect(await detach('h1', 'never')).toMatchObject({ wasAttached: false });
    expect(world.ipam.released).toContain('d1');
  });
});

describe('an enrolment', () => {
  it('names attachable networks that choose the host, and none of their endpoints', async () => {
    await attach('h1', 'd1');
    expect(await enrolled('h1')).toEqual(['web', 'ssd']);
    expect(await enrolled('h2')).toEqual(['web']);
    const reply = await world.domain.enrolments.of('h2', Deadline.after(1_000));
    expect(JSON.stringify(reply)).not.toContain('d1');
  });

  it('has another mark once it differs, for hosts that ask', async () => {
    const { mark } = await world.domain.enrolments.of('h2', Deadline.after(1_000));
    const beat = { host: 'h2', bootId: 'b', programmed: 0, digest: '', repairs: {}, opinions: [] };
    const isNew = (enrolment?: string) =>
      world.domain.enrolments.isNew({ ...beat, ...(enrolment === undefined ? {} : { enrolment }) });
    expect([isNew(), isNew(mark), isNew('')]).toEqual([false, false, true]);
    await attach('h1', 'd1');
    expect(isNew(mark)).toBe(false);
    await world.network('n4', 'more');
    await world.attach('web', 'h1');
    expect(isNew(mark)).toBe(true);
  });
});
