// The readable history, in a SQLite database of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keys, type AddressRecord, type RevisionEvents } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import {
  endpointRecord,
  hostRecord,
  networkRecord,
} from '../../../../libs/registry/src/testing/records';
import { HistoryStore } from './history-store';
import { HistoryWriter } from './history-writer';

const sortable = '4-0a010002';
let folder: string;
let store: HistoryStore;
let writer: HistoryWriter;

async function open(): Promise<void> {
  store = HistoryStore.open(join(folder, 'history.db'));
  const networkName = (): string => 'web';
  writer = await HistoryWriter.open({ store, logger: silentLogger, networkName });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skein-history-'));
  await open();
});
afterEach(async () => {
  await writer.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function held(endpointId: string, fields: Partial<AddressRecord> = {}): AddressRecord {
  return {
    address: '10.1.0.2',
    networkId: 'n1',
    state: 'held',
    kind: 'endpoint',
    endpointId,
    host: 'h1',
    cause: { request: `request-${endpointId}`, at: 1 },
    ...fields,
  };
}

function kvOf(key: string, value: unknown, revision: number) {
  const text = value === null ? '' : JSON.stringify(value);
  return { key, value: text, createRevision: revision, modRevision: revision, version: 1 };
}

function put(revision: number, key: string, value: unknown, previous?: unknown): RevisionEvents {
  return {
    revision,
    at: revision * 1_000,
    events: [
      {
        type: value === null ? 'delete' : 'put',
        kv: kvOf(key, value, revision),
        ...(previous === undefined ? {} : { previous: kvOf(key, previous, revision - 1) }),
      },
    ],
  };
}

const addressKey = keys.address('n1', sortable);

async function write(...revisions: RevisionEvents[]): Promise<void> {
  writer.take(revisions);
  await writer.reached(revisions.at(-1)?.revision ?? 0, 2_000);
}

describe('history of addresses', () => {
  it('tells holders one after the other, with their requests and times', async () => {
    await write(
      put(1, addressKey, held('e1')),
      put(2, addressKey, held('e1', { state: 'resting' })),
      put(5, addressKey, held('e2')),
    );
    const [now, before] = await store.holdings({ sortable });
    expect(now).toEqual({
      address: '10.1.0.2',
      networkId: 'n1',
      network: 'web',
      kind: 'endpoint',
      endpointId: 'e2',
      endpointName: null,
      host: 'h1',
      request: 'request-e2',
      since: 5_000,
      sinceRevision: 5,
    });
    expect(before).toMatchObject({
      endpointId: 'e1',
      sinceRevision: 1,
      untilRevision: 2,
      until: 2_000,
    });
  });

  it('takes a renewal by the same holder for no change', async () => {
    await write(put(1, addressKey, held('e1')), put(2, addressKey, held('e1', { bootId: 'b2' })));
    expect(await store.holdings({ sortable })).toHaveLength(1);
  });

  it('takes a direct hand-over for an end and a beginning', async () => {
    await write(put(1, addressKey, held('e1')), put(2, addressKey, held('e2')));
    const holdings = await store.holdings({ sortable });
    expect(holdings.map((each) => [each.endpointId, each.untilRevision])).toEqual([
      ['e2', undefined],
      ['e1', 2],
    ]);
  });

  it('names the endpoint once it is attached', async () => {
    const endpoint = endpointRecord('e1', 'n1', 'h1', { name: 'front' });
    await write(put(1, addressKey, held('e1')), put(2, keys.endpoint('n1', 'e1'), endpoint));
    expect((await store.holdings({ sortable }))[0]?.endpointName).toBe('front');
  });

  it('goes on after a restart, and writes nothing twice', async () => {
    const all = [put(1, addressKey, held('e1')), put(3, addressKey, null)];
    await write(all[0]!);
    await writer.close();
    await store.close();
    await open();
    expect(writer.resumeAt).toBe(2);
    await write(...all);
    await write(...all);
    const holdings = await store.holdings({ sortable });
    expect(holdings).toHaveLength(1);
    expect(holdings[0]?.untilRevision).toBe(3);
  });

  it('closes what is gone after a gap, opens what is there, and tells the gap', async () => {
    await write(put(1, addressKey, held('e1')));
    const other = keys.address('n1', '4-0a010003');
    writer.gap(9, 9_000, [kvOf(other, held('e7', { address: '10.1.0.3' }), 7)]);
    await writer.reached(9, 2_000);
    expect((await store.holdings({ sortable }))[0]?.untilRevision).toBe(9);
    expect((await store.holdings({ sortable: '4-0a010003' }))[0]?.endpointId).toBe('e7');
    expect((await store.events({ from: 1, prefix: 'history.', limit: 10 }))[0]?.body).toEqual({
      from: 2,
      through: 9,
    });
    expect(writer.resumeAt).toBe(10);
  });
});

describe('progress without events', () => {
  it('is written down now and then', async () => {
    writer.progress(999);
    await writer.reached(999, 1_000);
    expect(await store.progress()).toBe(0);
    writer.progress(1_000);
    await writer.reached(1_000, 1_000);
    expect(await store.progress()).toBe(1_000);
    expect(writer.resumeAt).toBe(1_001);
  });
});

describe('history of events', () => {
  it('tells networks, endpoints and hosts as they came and went', async () => {
    const network = networkRecord('n1', 'web');
    const endpoint = endpointRecord('e1', 'n1', 'h1');
    const down = hostRecord('h1', { state: 'down', reason: 'silent' });
    await write(
      put(1, keys.network('n1'), network),
      put(2, keys.host('h1'), hostRecord('h1')),
      put(3, keys.endpoint('n1', 'e1'), endpoint),
      put(4, keys.host('h1'), down, hostRecord('h1')),
      put(5, keys.host('h1'), hostRecord('h1', { bootId: 'boot-2' }), down),
      put(6, keys.endpoint('n1', 'e1'), null, endpoint),
      put(7, keys.host('h1'), null, hostRecord('h1')),
      put(8, keys.network('n1'), null, network),
    );
    const events = await store.events({ from: 1, limit: 100 });
    expect(events.map((event) => `${event.revision} ${event.type} ${event.subject}`)).toEqual([
      '1 network.created n1',
      '2 host.up h1',
      '3 endpoint.attached e1',
      '4 host.down h1',
      '5 host.up h1',
      '6 endpoint.detached e1',
      '7 host.removed h1',
      '8 network.deleted n1',
    ]);
    expect(events[3]?.body).toEqual({ revision: 4, at: 4_000, hostId: 'h1', reason: 'silent' });
    const hosts = await store.events({ from: 4, prefix: 'host.', limit: 2 });
    expect(hosts.map((event) => event.revision)).toEqual([4, 5]);
  });

  it('has nothing to tell of a record written again', async () => {
    await write(put(1, keys.host('h1'), hostRecord('h1'), hostRecord('h1')));
    expect(await store.events({ from: 1, limit: 10 })).toEqual([]);
    expect(await store.progress()).toBe(1);
  });
});
