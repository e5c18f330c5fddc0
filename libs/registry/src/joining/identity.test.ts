// A host's identity beside its record: nobody is registered without, and with the host it goes.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { systemTime } from '@skein/time';
import { context, World } from '../testing/world';
import { JoinDesk } from './join-desk';

let world: World;
let desk: JoinDesk;

beforeEach(async () => {
  world = await World.open();
  desk = new JoinDesk({
    store: world.store,
    fence: () => ({ key: '/fence', target: 'version', operator: '=', value: 0 }),
    time: { ...systemTime, wallMs: () => world.now },
    chance: { id: () => 'token' },
    signer: {
      newSecret: () => 'a-secret-of-some-length',
      digest: (secret) => secret,
      sign: async () => ({ jwt: 'jwt', ttlMs: 1_000 }),
    },
  });
  world.admit = (host, asked) => desk.admit(host, asked);
});
afterEach(() => world.close());

async function join(host: string): Promise<void> {
  const { token } = await desk.create({ host, ttlMs: 60_000, uses: 1, declares: false }, context());
  await desk.join({ token, host, publicKey: `key-of-${host}` }, context());
}

describe('a host', () => {
  it('is registered once it has joined', async () => {
    await expect(world.host('h1')).rejects.toMatchObject({ code: 'host_not_joined' });
    expect(await world.store.get(keys.host('h1'))).toBeUndefined();
    await join('h1');
    expect((await world.host('h1')).host).toMatchObject({ id: 'h1', state: 'up' });
  });

  it('that is removed loses its identity, and is not registered again', async () => {
    await join('h1');
    await world.host('h1');
    await world.domain.registry.takeDown([{ host: 'h1', reason: 'silent' }]);
    await world.domain.removal.remove('h1', context());
    expect(await world.store.get(keys.hostIdentity('h1'))).toBeUndefined();
    await expect(world.host('h1', { bootId: 'boot-2' })).rejects.toMatchObject({
      code: 'host_not_joined',
    });
  });

  it('whose identity goes while it registers is not registered', async () => {
    await join('h1');
    world.admit = async (host, asked) => {
      const admitted = await desk.admit(host, asked);
      await world.store.delete({ key: keys.hostIdentity(host) });
      return admitted;
    };
    await expect(world.host('h1')).rejects.toMatchObject({ code: 'host_not_joined' });
    expect(await world.store.get(keys.host('h1'))).toBeUndefined();
  });
});
