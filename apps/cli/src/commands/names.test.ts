import { describe, expect, it } from '@jest/globals';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Api } from '../client/api';
import { makeProgram } from '../program';
import { namesOf, soughtAt } from './names';

const program = await makeProgram();
const sought = (line: string) => soughtAt(program, line === '' ? [] : line.split(' '));

describe('what can stand behind words', () => {
  it.each([
    ['network show', { noun: 'network' }],
    ['network rm', { noun: 'network' }],
    ['network delete --force', { noun: 'network' }],
    ['endpoint list', { noun: 'network' }],
    ['detach web', { noun: 'endpoint', network: 'web' }],
    ['detach --wait 5 web', { noun: 'endpoint', network: 'web' }],
    ['explain web a', { noun: 'endpoint', network: 'web' }],
    ['service show web', { noun: 'service', network: 'web' }],
    ['attach web --host', { noun: 'host' }],
    ['attach web --service', { noun: 'service', network: 'web' }],
    ['address show 10.1.0.2 --network', { noun: 'network' }],
    ['host drain', { noun: 'host' }],
    ['cluster remove', { noun: 'member' }],
    ['cluster transfer', { noun: 'member' }],
    ['cluster unlock m1', { noun: 'member' }],
    ['kv get a --replica', { noun: 'member' }],
  ])('%s: names of the cluster', (line, expected) => {
    expect(sought(line)).toEqual(expected);
  });

  it.each(['', 'network', 'network create', 'network show web', 'attach web --mtu', 'kv get'])(
    '%p: none',
    (line) => {
      expect(sought(line)).toBeUndefined();
    },
  );
});

describe('names', () => {
  /** The answer to each path. */
  async function at<T>(answer: RequestListener, use: (api: Api) => Promise<T>): Promise<T> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const address = { url: `http://127.0.0.1:${port}`, token: undefined, source: 'test' };
    return use(new Api(address)).finally(() => {
      server.closeAllConnections();
      server.close();
    });
  }

  it('are those that the gateway lists, as far as a shell can be given them', async () => {
    const answer: RequestListener = (request, response) => {
      const endpoints = [{ name: 'a' }, { name: '$(reboot)' }, { name: 'b-2.x' }];
      const isAsked = request.url?.startsWith('/v1/networks/web/endpoints?') === true;
      response.end(JSON.stringify({ endpoints: isAsked ? endpoints : [] }));
    };
    const found = at(answer, (api) => namesOf(api, { noun: 'endpoint', network: 'web' }, 5_000));
    expect(await found).toEqual(['a', 'b-2.x']);
  });

  it('are none where nobody answers, or not in time', async () => {
    const refuse: RequestListener = (_request, response) => response.writeHead(500).end('{}');
    expect(await at(refuse, (api) => namesOf(api, { noun: 'host' }, 5_000))).toEqual([]);
    expect(
      await at(
        () => undefined,
        (api) => namesOf(api, { noun: 'host' }, 20),
      ),
    ).toEqual([]);
  });
});
