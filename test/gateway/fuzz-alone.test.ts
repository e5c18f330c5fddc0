// The gateway by itself, made from the sources as they are, under generated requests before services that stand in: quick, and it
// notices a fault that was just planted.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseErrorHelp } from '@skein/contracts';
import { fuzzGateway, prepare } from '@skein/fuzz';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { home } from '../support/skein-command';
import { startGateway, tokens, type GatewayProcess } from './gateway-process';
import { startStandIns, type StandIns } from './stand-in-services';

let nats: NatsServer;
let services: StandIns;
let gateway: GatewayProcess;

beforeAll(async () => {
  nats = await startNatsServer();
  services = await startStandIns(nats.url);
  gateway = await startGateway(nats.url);
}, 30_000);

afterAll(async () => {
  await gateway.stop();
  await services.stop();
  await nats.stop();
}, 30_000);

describe('a gateway alone that is asked for anything', () => {
  it('gives no answer that its document does not promise', async () => {
    const help = parseErrorHelp(readFileSync(join(home, 'docs', 'errors.md'), 'utf8'));
    const { findings, requests } = await fuzzGateway({
      target: await prepare({ url: gateway.url, token: tokens.admin }),
      seconds: 6,
      seed: 11,
      explained: new Set(help.map(({ code }) => code)),
      isAlone: true,
      signal: new AbortController().signal,
    });
    expect(requests).toBeGreaterThan(100);
    expect(findings).toEqual([]);
  }, 60_000);
});
