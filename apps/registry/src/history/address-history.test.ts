// What the history of an address may say while it has not been written as far as the cluster has got.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Deadline, silentLogger, type RequestContext } from '@skein/messaging';
import { FreshView } from '@skein/registry';
import { createMemoryStore } from '@skein/store-client';
import { systemTime } from '@skein/time';
import { AddressHistory } from './address-history';
import { HistoryStore } from './history-store';

let folder: string;
let store: HistoryStore;
const view = new FreshView({
  ...{ store: createMemoryStore(), time: systemTime, logger: silentLogger },
});
const context = { deadline: Deadline.after(1_000) } as RequestContext;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-history-'));
  store = HistoryStore.open(join(folder, 'history.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const writtenUpTo = (isThere: boolean) => ({ reached: async () => isThere, written: 7 });
const asked = (isThere: boolean) =>
  new AddressHistory({ view, store, writer: writtenUpTo(isThere) }).of(
    { address: '10.1.0.2' },
    context,
  );

it('says that it lags, not that nobody held an address', async () => {
  await expect(asked(false)).rejects.toMatchObject({ code: 'unavailable', facts: { seen: 7 } });
});

it('says so where it has all that there is', async () => {
  await expect(asked(true)).rejects.toMatchObject({ code: 'address_not_found' });
});
