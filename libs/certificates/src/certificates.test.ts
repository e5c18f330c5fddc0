import { describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createCertificateAuthority, createServerCertificate } from './certificates';

const nowMs = Date.now();

describe("a server's certificate", () => {
  it('is signed by the authority for all of its names, and for none else', async () => {
    const authority = await createCertificateAuthority(nowMs);
    const names = ['nats-1', 'nats.example', '192.0.2.4', '2001:db8::4'];
    const { certificate } = await createServerCertificate(authority, { names, nowMs });
    const read = new X509Certificate(certificate);
    expect(read.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(names.every((name) => read.checkHost(name) ?? read.checkIP(name))).toBe(true);
    expect(read.checkHost('nats-2')).toBeUndefined();
    expect(read.ca).toBe(false);
    const other = await createCertificateAuthority(nowMs);
    expect(read.verify(new X509Certificate(other.certificate).publicKey)).toBe(false);
  });

  it('is one that TLS takes, on both sides', async () => {
    const ca = await createCertificateAuthority(nowMs);
    const own = await createServerCertificate(ca, { names: ['localhost'], nowMs });
    const identity = { cert: own.certificate, key: own.key, ca: ca.certificate };
    const server = createServer({ ...identity, requestCert: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const { port } = server.address() as AddressInfo;
    const client = connect({ ...identity, host: '127.0.0.1', port, servername: 'localhost' });
    await once(client, 'secureConnect');
    const [socket] = await accepted;
    expect(client.authorized && socket.authorized).toBe(true);
    client.destroy();
    server.close();
  });
});
