// A hundred `docker run` on three engines while programs are killed, and the judgement of what is there afterwards: what runs, what
// the cluster holds for it, who answers whom.

import { until } from '@skein/chaos';
import { type DockerStack, hostIds, type HostId } from './docker-stack';

const lanesOfEach = 2;
const settleMs = 150_000;

export interface RunOutcome {
  readonly succeeded: number;
  /** Names of containers whose `docker run` said that it failed. */
  readonly failed: ReadonlySet<string>;
}

/** `disturb` runs once each, when so many runs have ended as its key says. A run that fails is not repeated. */
export async function hundredRuns(
  docker: DockerStack,
  network: string,
  disturb: ReadonlyMap<number, () => Promise<void>>,
): Promise<RunOutcome> {
  const names = Array.from({ length: 100 }, (_, at) => `run-${at + 1}`);
  const disturbances: Promise<void>[] = [];
  const failed = new Set<string>();
  let ended = 0;
  const lane = async (host: HostId, mine: string[]): Promise<void> => {
    for (let name = mine.shift(); name !== undefined; name = mine.shift()) {
      const { code } = await docker.tryRun(host, name, '--network', network);
      ended += 1;
      if (code !== 0) failed.add(name);
      const disturbance = disturb.get(ended);
      if (disturbance !== undefined) disturbances.push(disturbance());
    }
  };
  const lanes = hostIds.flatMap((host, index) => {
    const mine = names.filter((_, at) => at % hostIds.length === index);
    return Array.from({ length: lanesOfEach }, () => lane(host, mine));
  });
  await Promise.all(lanes);
  await Promise.all(disturbances);
  return { succeeded: names.length - failed.size, failed };
}

interface Running {
  readonly host: HostId;
  readonly name: string;
  readonly address: string;
}

export async function runningOn(docker: DockerStack, network: string): Promise<Running[]> {
  const format = `{{.Name}} {{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
  const lists = await Promise.all(
    hostIds.map(async (host): Promise<Running[]> => {
      const ids = await docker.engines[host].run('ps', '-q', '--filter', `network=${network}`);
      if (ids === '') return [];
      const text = await docker.engines[host].run('inspect', '-f', format, ...ids.split('\n'));
      return text.split('\n').map((line) => {
        const [name = '', address = ''] = line.replace(/^\//, '').split(' ');
        return { host, name, address };
      });
    }),
  );
  return lists.flat();
}

/**
 * What differs between what runs and what the cluster holds, once that has settled; nothing if it does not. An engine that is killed
 * between a container's start and its own note of it takes the container on when it is back, without a network and `Up 292 years`: its
 * run has failed, and it has no address on either side.
 */
export function heldAmiss(
  docker: DockerStack,
  network: string,
  failed: ReadonlySet<string>,
): Promise<readonly string[]> {
  return until(settleMs, async () => {
    const running = await runningOn(docker, network);
    const endpoints = await docker.endpoints(network);
    const held = endpoints.flatMap(({ host, addresses }) =>
      addresses.map((text) => `${text.split('/')[0] ?? ''} on ${host}`),
    );
    const addressed = running.filter(({ address }) => address !== '');
    const wanted = addressed.map(({ address, host }) => `${address} on ${host}`);
    return [
      ...running
        .filter(({ name, address }) => address === '' && !failed.has(name))
        .map(({ name, host }) => `${name} runs on ${host} without an address`),
      ...twice(addressed.map(({ address }) => address)).map((each) => `${each} runs twice`),
      ...twice(held).map((each) => `${each} is held twice`),
      ...wanted.filter((each) => !held.includes(each)).map((each) => `${each} is not held`),
      ...held.filter((each) => !wanted.includes(each)).map((each) => `${each} is held for nobody`),
    ];
  });
}

function twice(values: readonly string[]): string[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}

/** Addresses of running containers that do not answer the one named. */
export async function notReached(
  docker: DockerStack,
  network: string,
  from: { host: HostId; name: string },
): Promise<string[]> {
  const running = await runningOn(docker, network);
  const addresses = running.map(({ address }) => address).filter((address) => address !== '');
  const each = 'for a in "$@"; do ping -c 1 -W 2 "$a" >/dev/null || echo "$a"; done';
  const exec = ['exec', from.name, 'sh', '-c', each, 'sh', ...addresses];
  const text = await docker.engines[from.host].run(...exec);
  return text === '' ? [] : text.split('\n');
}
