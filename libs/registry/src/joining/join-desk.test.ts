import { beforeEach, describe, expect, it } from '@jest/globals';
import { keys, SkeinError, type joinContract, type RequestOf } from '@skein/contracts';
import { createMemoryStore, type MemoryStore } from '@skein/store-client';
import { systemTime } from '@skein/time';
import { context } from '../testing/world';
import { JoinDesk, type JoinDeskOptions } from './join-desk';

const hourMs = 3_600_000;
const fence = { key: '/fence', target: 'version', operator: '=', value: 0 } as const;
let store: MemoryStore;
let now: number;
let made: number;

function deskOf(options: Partial<JoinDeskOptions> = {}): JoinDesk {
  return new JoinDesk({
    store,
    fence: () => fence,
    time: { ...systemTime, wallMs: () => now },
    chance: { id: () => String(++made).padEnd(20, 'x') },
    signer: {
      newSecret: () => `the-secret-of-number-${String(made)}`,
      digest: (secret) => `digest of ${secret}`,
      sign: async ({ id, publicKey }) => ({ jwt: `${id}:${publicKey}`, ttlMs: hourMs }),
    },
    ...options,
  });
}

const create = (options: { host?: string; uses?: number; declares?: boolean } = {}) =>
  deskOf().create({ ttlMs: hourMs, uses: 1, declares: false, ...options }, context());

const join = (token: string, host: string, publicKey = `key-of-${host}`, desk = deskOf()) =>
  desk.join({ token, host, publicKey } satisfies RequestOf<typeof joinContract>, context());

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    return SkeinError.from(thrown).code;
  }
  return 'ok';
}

beforeEach(() => {
  store = createMemoryStore();
  now = 1_000_000;
  made = 0;
});

describe('a join token', () => {
  it('lets one host in, and its repetition with the same key', async () => {
    const { token } = await create();
    expect(await join(token, 'h1')).toEqual({ jwt: 'h1:key-of-h1', ttlMs: hourMs });
    expect(await codeOf(join(token, 'h1'))).toBe('ok');
    expect(await codeOf(join(token, 'h2'))).toBe('join_token_used_up');
  });

  it('lets as many in as it has uses, however many come at once', async () => {
    const { token } = await create({ uses: 2 });
    const hosts = ['h1', 'h2', 'h3', 'h4'];
    const outcomes = await Promise.all(hosts.map((host) => codeOf(join(token, host))));
    expect(outcomes.filter((code) => code === 'ok')).toHaveLength(2);
    const { kvs } = await store.range({ key: '/skein/host-identity/', prefix: true });
    expect(kvs).toHaveLength(2);
  });

  it.each([
    ['malformed', 'join_token_malformed', async () => join('skein-join-x', 'h1')],
    ['of an unknown id', 'join_token_unknown', () => join(`skein-join-x-${'s'.repeat(20)}`, 'h1')],
    [
      'with another secret',
      'join_token_unknown',
      async () => join(`${(await create()).token}x`, 'h1'),
    ],
    [
      'for another host',
      'join_token_for_other_host',
      async () => join((await create({ host: 'h2' })).token, 'h1'),
    ],
    [
      'that has expired',
      'join_token_expired',
      async () => {
        const { token } = await create();
        now += hourMs;
        return join(token, 'h1');
      },
    ],
    [
      'that was revoked',
      'join_token_revoked',
      async () => {
        const { token, id } = await create();
        await deskOf().revoke({ id }, context());
        return join(token, 'h1');
      },
    ],
  ])('%s is refused as %s', async (_, code, act) => {
    expect(await codeOf(act())).toBe(code);
    expect(await store.get(keys.hostIdentity('h1'))).toBeUndefined();
  });

  it('that names no host does not replace the key of one that has joined', async () => {
    await join((await create()).token, 'h1');
    const other = (await create()).token;
    expect(await codeOf(join(other, 'h1', 'new-key'))).toBe('host_already_joined');
    const named = (await create({ host: 'h1' })).token;
    expect((await join(named, 'h1', 'new-key')).jwt).toBe('h1:new-key');
  });

  it('says whether engines of its hosts may make networks', async () => {
    await join((await create()).token, 'h1');
    await join((await create({ declares: true })).token, 'h2');
    const digest = 'digest of the-standing-secret';
    const standing = [{ id: 's1', digest, uses: 2, declares: true as const }];
    await join('skein-join-s1-the-standing-secret', 'h3', 'key-of-h3', deskOf({ standing }));
    const may = (host: string, desk = deskOf()) => codeOf(desk.demandDeclares(host, context()));
    expect(await may('h1')).toBe('forbidden');
    expect(await may('h2')).toBe('ok');
    expect(await may('h3')).toBe('ok');
    expect(await may('unknown')).toBe('forbidden');
    // Where no key signs hosts, any may do anything.
    expect(await may('h1', deskOf({ signer: undefined }))).toBe('ok');
  });

  it('is kept as a digest, and listed without it', async () => {
    const { token, id } = await create();
    const { kvs } = await store.range({ key: '/', prefix: true });
    const secret = /^skein-join-[^-]+-(.+)$/.exec(token)?.[1] ?? '';
    expect(kvs.map(({ value }) => JSON.parse(value).digest)).toEqual([`digest of ${secret}`]);
    expect(JSON.stringify(kvs)).not.toContain(token);
    const { tokens } = await deskOf().list(context());
    expect(tokens).toMatchObject([{ id, state: 'usable', usesLeft: 1 }]);
    expect(tokens[0]).not.toHaveProperty('digest');
  });

  it('goes a day after its time', async () => {
    const { id } = await create();
    store.expireLease(`join-token-${id}`);
    expect((await deskOf().list(context())).tokens).toEqual([]);
  });

  it('that stands in the configuration is spent once', async () => {
    const digest = 'digest of a-standing-secret';
    const desk = deskOf({ standing: [{ id: 'standing', digest, host: 'h1' }] });
    const token = 'skein-join-standing-a-standing-secret';
    expect(await codeOf(join(token, 'h2', 'k', desk))).toBe('join_token_for_other_host');
    expect(await codeOf(join(token, 'h1', 'k', desk))).toBe('ok');
    await store.delete({ key: keys.hostIdentity('h1') });
    expect(await codeOf(join(token, 'h1', 'k', desk))).toBe('join_token_used_up');
  });

  it('of the configuration that names no host lets as many in as it says, and replaces no key', async () => {
    const digest = 'digest of a-standing-secret';
    const desk = deskOf({ standing: [{ id: 'standing', digest, uses: 2 }] });
    const token = 'skein-join-standing-a-standing-secret';
    expect(await codeOf(join(token, 'h1', 'k1', desk))).toBe('ok');
    expect(await codeOf(join(token, 'h1', 'another', desk))).toBe('host_already_joined');
    now += 29 * 24 * hourMs;
    expect(await codeOf(join(token, 'h2', 'k2', desk))).toBe('ok');
    expect(await codeOf(join(token, 'h3', 'k3', desk))).toBe('join_token_used_up');
  });
});

describe('an identity', () => {
  const renew = (publicKey: string) => deskOf().renew({ host: 'h1', publicKey }, context());

  it('is renewed for the key that joined, until the host is removed', async () => {
    await join((await create()).token, 'h1');
    expect((await renew('key-of-h1')).jwt).toBe('h1:key-of-h1');
    expect(await codeOf(renew('other-key'))).toBe('host_not_joined');
    await store.delete({ key: keys.hostIdentity('h1') });
    expect(await codeOf(renew('key-of-h1'))).toBe('host_not_joined');
  });

  it('is what registration is compared with', async () => {
    expect(await codeOf(deskOf().admit('h1', context()))).toBe('host_not_joined');
    await join((await create()).token, 'h1');
    const [compare] = await deskOf().admit('h1', context());
    await store.delete({ key: keys.hostIdentity('h1') });
    const { succeeded } = await store.txn({ compare: [compare!] });
    expect(succeeded).toBe(false);
  });

  it('is asked of nobody where no key signs hosts', async () => {
    const desk = deskOf({ signer: undefined });
    expect(await desk.admit('h1', context())).toEqual([]);
    expect(await codeOf(join(`skein-join-x-${'s'.repeat(20)}`, 'h1', 'k', desk))).toBe(
      'joining_disabled',
    );
  });
});
