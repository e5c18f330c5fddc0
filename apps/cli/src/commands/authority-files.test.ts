import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { makeKeys, renewable, settingsFiles } from './authority-files';

const nowMs = 1_800_000_000_000;
const options = { folder: '/etc/skein/authority', joinToken: true };
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Value of a variable in an `.env` file, without its quotes. */
const valueOf = (text: string | undefined, variable: string): string =>
  new RegExp(`^${variable}='?(.*?)'?$`, 'm').exec(text ?? '')?.[1] ?? '';

describe("an authority's keys", () => {
  it('stay as they are, whatever is signed anew', async () => {
    const keys = await makeKeys({}, [], nowMs);
    expect(await makeKeys(keys, [], nowMs)).toEqual(keys);
  });

  it.each([
    ['admin-token', ['adminToken']],
    ['join-token', ['joinToken']],
    ['account', ['account', 'hosts', 'users']],
  ] as const)('renewed by %s are %j and no others', async (what, changed) => {
    const keys = await makeKeys({}, [], nowMs);
    const renewed = await makeKeys(keys, [what], nowMs);
    const differs = Object.keys(keys).filter(
      (name) =>
        JSON.stringify(renewed[name as keyof typeof keys]) !==
        JSON.stringify(keys[name as keyof typeof keys]),
    );
    expect(differs.sort()).toEqual([...changed].sort());
    expect(renewable).toContain(what);
  });
});

describe('what an authority hands out', () => {
  it('opens what is given the digest of it, and nobody who checks has the secret', async () => {
    const files = settingsFiles(await makeKeys({}, [], nowMs), options);
    const [admin] = JSON.parse(valueOf(files['gateway.env'], 'SKEIN_TOKENS'));
    const token = valueOf(files['client.env'], 'SKEIN_TOKEN');
    expect(admin).toEqual({ name: 'authority', role: 'admin', token: digestOf(token) });
    const [standing] = JSON.parse(valueOf(files['registry.env'], 'SKEIN_JOIN_TOKENS'));
    const [, id, secret = ''] =
      /^skein-join-([a-z0-9]+)-(.+)$/.exec(valueOf(files['agent.env'], 'SKEIN_JOIN_TOKEN')) ?? [];
    expect(standing).toMatchObject({ id, digest: digestOf(secret) });
    expect(files['registry.env']).not.toContain(secret);
    expect(files['gateway.env']).not.toContain(token);
  });

  it('has no token for hosts unless it is asked for', async () => {
    const keys = await makeKeys({}, [], nowMs);
    const files = settingsFiles(keys, { ...options, joinToken: false });
    expect(Object.values(files).join('\n')).not.toContain(keys.joinToken.secret);
    expect(files['registry.env']).not.toContain('SKEIN_JOIN_TOKENS');
  });
});
