// A host's agent in a container that Compose has numbered: host agent-2 is the second container of the service `agent`, and stays
// it when the container is made anew. The container is the host: its network is the underlay.
import { randomUUID } from 'node:crypto';
import { promises as dns } from 'node:dns';
import { hostname, networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';

const address = Object.values(networkInterfaces())
  .flat()
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** `deploy_agent_2.deploy_default`, or with hyphens: what the engine's resolver calls this address. */
async function numberedName() {
  const reversed = address.split('.').reverse().join('.');
  const names = await dns.resolvePtr(`${reversed}.in-addr.arpa`).catch(() => []);
  const [, service, number] = /[_-]([a-z0-9]+)[_-](\d+)\./.exec(names[0] ?? '') ?? [];
  return number === undefined ? hostname() : `${service}-${number}`;
}

const name = process.env.SKEIN_HOST_ID || (await numberedName());
const defaults = {
  SKEIN_HOST_ID: name,
  SKEIN_HOST_NAME: name,
  SKEIN_VTEP: address,
  SKEIN_IDENTITY_DIR: `/var/lib/skein/${name}`,
  // A container that starts has a kernel state of its own: nothing of what was programmed before is there.
  SKEIN_BOOT_ID: randomUUID(),
};
for (const [variable, value] of Object.entries(defaults)) process.env[variable] ||= value;
// A service starts by itself where it is the process's program.
const agent = new URL('../dist/host-agent.js', import.meta.url);
process.argv[1] = fileURLToPath(agent);
await import(agent.href);
