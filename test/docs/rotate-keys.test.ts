// docs/runbooks/rotate-keys.md, typed as it stands at three managers that wait for their key.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unlockContract } from '@skein/contracts';
import { ConsensusCluster, replicaIds } from '../consensus/consensus-cluster';
import { startGateway, tokens, type GatewayProcess } from '../gateway/gateway-process';
import { blocksOf } from './code-blocks';
import { DocumentShell } from './document-shell';

let managers: ConsensusCluster;
let gateway: GatewayProcess;
let reader: DocumentShell;

beforeAll(async () => {
  managers = await ConsensusCluster.start({ env: { SKEIN_ENCRYPTION: 'locked' } });
  gateway = await startGateway(managers.natsUrl);
  reader = DocumentShell.open({ url: gateway.url, token: tokens.admin });
}, 60_000);

afterAll(async () => {
  await reader?.close();
  await gateway?.stop();
  await managers?.stop();
}, 30_000);

/** This test's managers have other names. */
const renamed = (text: string): string => text.replace(/\bm([123])\b/g, 'r$1');

it('docs/runbooks/rotate-keys.md unlocks, renews the data key and changes the key that unlocks', async () => {
  const commands = blocksOf('docs/runbooks/rotate-keys.md', 'own').flat();
  expect(commands.length).toBeGreaterThanOrEqual(7);
  let first = '';
  for (const { text, asks, shows } of commands) {
    const { code, said } = await reader.type(renamed(text), { agrees: asks });
    const promised = expect.stringContaining(renamed(shows));
    expect({ text, code, said }).toEqual({ text, code: 0, said: promised });
    if (text.includes('> skein.key'))
      first = readFileSync(join(reader.folder, 'skein.key'), 'utf8');
  }
  const last = readFileSync(join(reader.folder, 'skein.key'), 'utf8');
  expect(last).not.toBe(first);
  await managers.killAll();
  for (const instance of replicaIds) {
    await managers.startReplica(instance);
    const unlock = (key: string) =>
      managers.messenger.request(unlockContract, { key: key.trim() }, { instance });
    await expect(unlock(first)).rejects.toMatchObject({ code: 'wrong_key' });
    expect(await unlock(last)).toMatchObject({ wasLocked: true });
  }
}, 120_000);
