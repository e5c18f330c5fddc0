// The gateway over TLS: HTTPS and nothing else, once it has a certificate and its key.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer, type NatsServer } from '../support/nats-server';
import { describeWherePossible } from '../support/where-possible';
import { startGateway, tokens, type GatewayProcess } from './gateway-process';

describeWherePossible(hasOpenssl() ? null : 'no openssl', 'gateway over TLS', () => {
  let folder: string;
  let nats: NatsServer;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'skein-tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', key, '-out', cert, '-days', '1'];
    execFileSync('openssl', ['req', ...kind, ...subject, ...files], { stdio: 'pipe' });
    nats = await startNatsServer();
    gateway = await startGateway(nats.url, { SKEIN_TLS_CERT: cert, SKEIN_TLS_KEY: key });
  }, 30_000);

  afterAll(async () => {
    await gateway?.stop();
    await nats?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  function get(path: string, ca: Buffer | undefined): Promise<number | undefined> {
    const url = gateway.url.replace('http:', 'https:') + path;
    const headers = { authorization: `Bearer ${tokens.viewer}` };
    return new Promise((resolve, reject) => {
      const asked = request(url, { headers, agent: false, ...(ca && { ca }) }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  it('answers who trusts its certificate', async () => {
    const ca = readFileSync(join(folder, 'cert.pem'));
    expect(await get('/healthz', ca)).toBe(200);
  });

  it('is not trusted by who does not know it, and speaks no plain HTTP', async () => {
    await expect(get('/healthz', undefined)).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow();
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
