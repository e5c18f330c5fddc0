import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLayout, runsDir } from '@skein/local-cluster';
import { addContainer, commandLine, listContainers, removeContainer } from './containers';

let home = '';
let containers: string[] = [];
let closing: (() => void)[] = [];
/** What the gateway answers an attach. */
let answer = { status: 201, body: {} as object };
/** What it answers of what is there, by path; everything else has no subnets. */
let there: Record<string, object> = {};

/** A cluster as its commands find it: one process, its control socket, and a gateway. */
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'skein-containers-'));
  containers = ['a', 'b'];
  there = {};
  const dataDir = join(runsDir(home), 'single');
  mkdirSync(dataDir, { recursive: true });
  const gateway = await serveGateway();
  const control = await serveControl(join(dataDir, 'control.sock'));
  closing = [() => gateway.close(), () => control.close()];
  const mark = { pid: process.pid, startTicks: ownStartTicks() };
  const { port } = gateway.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const record = { name: 'single', dataDir, outer: mark, supervisor: mark, url };
  writeFileSync(join(dataDir, 'run.json'), JSON.stringify(record));
  const layout = createLayout({ managers: 1, hosts: 1, single: true });
  writeFileSync(join(dataDir, 'layout.json'), JSON.stringify(layout));
});
afterEach(() => {
  for (const close of closing) close();
  rmSync(home, { recursive: true, force: true });
});

function ownStartTicks(): string {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function serveGateway(): Promise<Server> {
  const server = createServer((request, response) => {
    const isAttach = request.method === 'POST';
    response.statusCode = isAttach ? answer.status : 200;
    const found = there[request.url?.split('?')[0] ?? ''] ?? { subnets: [] };
    response.end(JSON.stringify(isAttach ? answer.body : found));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function serveControl(path: string): Promise<{ close(): void }> {
  const answers: Record<string, (name: string) => object> = {
    status: () => ({ containers, processes: [{ name: 'nats' }, { name: 'single' }] }),
    addContainer: (name) => {
      containers = [...new Set([...containers, name])];
      return { netns: `/run/netns/c-${name}` };
    },
    removeContainer: (name) => {
      containers = containers.filter((each) => each !== name);
      return {};
    },
  };
  const server = createSocketServer((socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line);
      socket.write(`${JSON.stringify({ id, result: answers[method]?.(params.name) })}\n`);
    });
  });
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

describe('container add', () => {
  const refusal = {
    status: 404,
    body: { code: 'host_not_found', detail: "There is no host 'h9'", field: 'host', status: 404 },
  };

  it('tells why the gateway refused the attach, and leaves no container that it made', async () => {
    answer = refusal;
    await expect(
      addContainer({ home, name: 'c', host: 'h9', network: 'web' }),
    ).rejects.toMatchObject({
      code: 'host_not_found',
      message: "There is no host 'h9'",
      field: 'host',
    });
    expect(containers).toEqual(['a', 'b']);
  });

  it('keeps a container that was there before', async () => {
    answer = refusal;
    const adding = addContainer({ home, name: 'a', host: 'h9', network: 'web' });
    await expect(adding).rejects.toMatchObject({ code: 'host_not_found' });
    expect(containers).toEqual(['a', 'b']);
  });

  it('keeps the container of an attach whose fate is open', async () => {
    answer = { status: 504, body: { code: 'unknown_outcome', detail: 'The answer got lost' } };
    const adding = addContainer({ home, name: 'c', host: 'h1', network: 'web' });
    await expect(adding).rejects.toMatchObject({ code: 'unknown_outcome' });
    expect(containers).toEqual(['a', 'b', 'c']);
  });
});

describe('container list', () => {
  const endpoint = (name: string, netns: string | undefined) => ({
    name,
    network: 'web',
    host: 'h1',
    addresses: ['10.0.0.2/24'],
    ...(netns === undefined ? {} : { sandbox: { netns } }),
  });

  it('tells what each container is attached to', async () => {
    const endpoints = [endpoint('one', '/run/netns/c-a'), endpoint('two', undefined)];
    there = {
      '/v1/networks': { networks: [{ name: 'web' }] },
      '/v1/networks/web/endpoints': { endpoints },
    };
    const attached = { network: 'web', name: 'one', host: 'h1', addresses: ['10.0.0.2/24'] };
    expect(await listContainers(home)).toEqual([
      { name: 'a', netns: '/run/netns/c-a', endpoints: [attached] },
      { name: 'b', netns: '/run/netns/c-b', endpoints: [] },
    ]);
  });

  it('names the containers of a cluster whose gateway does not know more', async () => {
    expect(await listContainers(home)).toEqual([
      { name: 'a', netns: '/run/netns/c-a' },
      { name: 'b', netns: '/run/netns/c-b' },
    ]);
  });
});

describe('container remove', () => {
  it('refuses one that is not there, and names those that are', async () => {
    await expect(removeContainer({ home, name: 'nope' })).rejects.toMatchObject({
      code: 'invalid_request',
      message: "there is no container 'nope': only a, b",
      field: 'name',
    });
  });

  it('removes one that is there', async () => {
    await removeContainer({ home, name: 'a' });
    expect(containers).toEqual(['b']);
  });
});

describe('exec', () => {
  const exec = (place: string) =>
    commandLine({ home, path: process.env['PATH'] ?? '', place, argv: ['ip'] });

  it('names the hosts of a cluster in one process', async () => {
    await expect(exec('host:h2')).rejects.toMatchObject({
      message: "'host:h2' is none of: a, b, host:h1",
    });
  });
});
