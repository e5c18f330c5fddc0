// What a view that lags behind the store may say, and what not.

import { describe, expect, it } from '@jest/globals';
import { keys } from '@skein/contracts';
import { Deadline, silentLogger } from '@skein/messaging';
import { createMemoryStore } from '@skein/store-client';
import { systemTime } from '@skein/time';
import { FreshView } from './fresh-view';
import { networkRecord } from '../testing/records';

describe('a view that has not caught up in time', () => {
  const lagging = async () => {
    const store = createMemoryStore();
    await store.put({ key: keys.networkName('web'), value: 'n1' });
    await store.put({ key: keys.network('n1'), value: JSON.stringify(networkRecord('n1', 'web')) });
    return new FreshView({ store, time: systemTime, logger: silentLogger });
  };

  it('does not say that something is not there which the store has', async () => {
    const view = await lagging();
    await expect(view.findNetwork('web', Deadline.after(50))).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('says so of what the store does not have', async () => {
    const view = await lagging();
    await expect(view.findNetwork('other', Deadline.after(50))).rejects.toMatchObject({
      code: 'network_not_found',
    });
  });
});
