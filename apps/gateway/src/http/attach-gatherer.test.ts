// Attaches that come at once travel together, and each gets its own answer.

import { describe, expect, it } from '@jest/globals';
import {
  createEndpointsContract,
  createEndpointsEachContract,
  SkeinError,
  type Contract,
} from '@skein/contracts';
import { AttachGatherer, type Attach } from './attach-gatherer';

interface Sent {
  readonly contract: Contract;
  readonly body: { attaches?: { request: string }[]; endpoints?: unknown[] };
  readonly answer: (reply: unknown) => void;
  readonly refuse: (thrown: unknown) => void;
}

/** Each look at the clock takes `lookMs`. */
function world({ lookMs = 0 } = {}) {
  let now = 0;
  const nowMs = (): number => (now += lookMs);
  const sent: Sent[] = [];
  const request = (contract: Contract, body: unknown): Promise<never> =>
    new Promise((resolve, reject) => {
      const answer = resolve as (reply: unknown) => void;
      sent.push({ contract, body: body as Sent['body'], answer, refuse: reject });
    });
  return { sent, gatherer: new AttachGatherer({ request } as never, nowMs) };
}

const turn = async () => {
  for (let at = 0; at < 3; at += 1) await new Promise(setImmediate);
};
const attach = (at: number, more: Partial<Attach> = {}): Attach => ({
  network: 'web',
  endpoint: { host: `h${at}` },
  waitMs: 100,
  requestId: `r${at}`,
  ...more,
});
const endpoint = (id: string) => ({ id, revision: 7 });

describe('attach gatherer', () => {
  it('sends one alone as it is', async () => {
    const { sent, gatherer } = world();
    const attached = gatherer.attach(attach(1));
    await turn();
    expect(sent.map(({ contract }) => contract)).toEqual([createEndpointsContract]);
    sent[0]!.answer({ endpoints: [endpoint('a')], revision: 7, behind: [], faults: [] });
    expect((await attached).endpoints[0]?.id).toBe('a');
  });

  it('sends those of one turn together, and gives each its own answer', async () => {
    const { sent, gatherer } = world();
    const all = [1, 2].map((at) => gatherer.attach(attach(at)));
    const settled = Promise.allSettled(all);
    await turn();
    expect(sent.map(({ contract }) => contract)).toEqual([createEndpointsEachContract]);
    expect(sent[0]!.body.attaches?.map(({ request }) => request)).toEqual(['r1', 'r2']);
    const error = { code: 'address_taken', message: 'Taken', field: 'endpoints.0.addresses.0' };
    sent[0]!.answer({
      attached: [
        { ok: true, endpoint: endpoint('a'), faults: [] },
        { ok: false, error },
      ],
      behind: ['h9'],
    });
    const [first, second] = await settled;
    expect(first).toMatchObject({
      value: { endpoints: [{ id: 'a' }], revision: 7, behind: ['h9'] },
    });
    expect(second).toMatchObject({ reason: error });
  });

  it('sends a key along even alone, and tells what was attached earlier', async () => {
    const { sent, gatherer } = world();
    const once = { key: 'k', request: 'f', lease: 'l' };
    const attached = gatherer.attach(attach(1, { once }));
    await turn();
    expect(sent[0]!.body.attaches).toEqual([{ endpoint: { host: 'h1' }, request: 'r1', once }]);
    const again = { ok: true, endpoint: endpoint('a'), isReplayed: true, faults: [] };
    sent[0]!.answer({ attached: [again], behind: [] });
    expect(await attached).toMatchObject({ isReplayed: true, endpoints: [{ id: 'a' }] });
  });

  it('keeps networks and waits apart', async () => {
    const { sent, gatherer } = world();
    for (const more of [{}, { network: 'db' }, { waitMs: 200 }]) {
      gatherer.attach(attach(1, more)).catch(() => undefined);
    }
    await turn();
    expect(sent).toHaveLength(3);
  });

  it('gathers while three messages are on their way', async () => {
    const { sent, gatherer } = world();
    for (let at = 0; at < 6; at += 1) {
      gatherer.attach(attach(at)).catch(() => undefined);
      await turn();
    }
    expect(sent).toHaveLength(3);
    sent[0]!.answer({ endpoints: [endpoint('a')], revision: 7, behind: [], faults: [] });
    await turn();
    expect(sent[3]?.body.attaches).toHaveLength(3);
  });

  it('waits for those who ask one turn after the other', async () => {
    const { sent, gatherer } = world();
    for (let at = 0; at < 4; at += 1) {
      gatherer.attach(attach(at)).catch(() => undefined);
      await new Promise(setImmediate);
    }
    expect(sent).toHaveLength(0);
    await turn();
    expect(sent.map(({ body }) => body.attaches?.length)).toEqual([4]);
  });

  it('sends what it has though more keep coming', async () => {
    const { sent, gatherer } = world({ lookMs: 5 });
    for (let at = 0; at < 20; at += 1) {
      gatherer.attach(attach(at)).catch(() => undefined);
      await new Promise(setImmediate);
    }
    expect(sent.length).toBeGreaterThan(0);
  });

  it('tells all of a message what became of it', async () => {
    const { sent, gatherer } = world();
    const settled = Promise.allSettled([1, 2].map((at) => gatherer.attach(attach(at))));
    await turn();
    sent[0]!.refuse(new SkeinError('unknown_outcome', 'Nobody knows'));
    for (const each of await settled) {
      expect(each).toMatchObject({ reason: { code: 'unknown_outcome' } });
    }
  });

  it('cuts a message that would grow too large', async () => {
    const { sent, gatherer } = world();
    const labels = { note: 'x'.repeat(100_000) };
    for (const at of [1, 2]) {
      gatherer.attach(attach(at, { endpoint: { host: 'h1', labels } })).catch(() => undefined);
    }
    await turn();
    expect(sent).toHaveLength(2);
  });
});
