import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Share } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { decodeProbe, encodeProbe } from './probe-frame';
import { Prober, probeEveryMs, type OpenProbeSocket } from './prober';

type Fate = (frame: Uint8Array) => Uint8Array | null;
const carries: Fate = (frame) => frame;

/** Two or three hosts' probers on one overlay, on a clock that the test moves. */
class Overlay {
  now = 0;
  fate: Fate = carries;
  readonly sizes: number[] = [];
  readonly opened: string[] = [];
  readonly #timers: { at: number; action: () => void }[] = [];
  readonly #listeners = new Map<string, (frame: Uint8Array, from: string) => void>();

  prober(self: string): Prober {
    const open: OpenProbeSocket = async ({ netns, address }, on) => {
      this.opened.push(`${self} ${netns}`);
      this.#listeners.set(`${netns} ${address}`, on.frame);
      return {
        send: (frame, to) => {
          this.sizes.push(frame.length);
          const carried = this.fate(frame);
          if (carried !== null) this.#listeners.get(`${netns} ${to}`)?.(carried, address);
        },
        close: () => void this.#listeners.delete(`${netns} ${address}`),
      };
    };
    const time = {
      monotonicMs: () => this.now,
      after: (ms: number, action: () => void) => {
        const timer = { at: this.now + ms, action };
        this.#timers.push(timer);
        return () => void this.#timers.splice(this.#timers.indexOf(timer) >>> 0, 1);
      },
    };
    return new Prober({ self, netnsPrefix: 'sk-', open, time, logger: silentLogger });
  }

  async pass(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      this.now += probeEveryMs;
      for (const timer of [...this.#timers].filter(({ at }) => at <= this.now)) {
        this.#timers.splice(this.#timers.indexOf(timer), 1);
        timer.action();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const subnet = { cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} };
const endpoint = (host: string, networkId = 'web') => ({
  id: `${host}-${networkId}`,
  networkId,
  host,
  name: host,
  aliases: [],
  addresses: ['10.1.0.5/24'],
  mac: '02:00:00:00:00:05',
});
function share(hosts: string[], live = hosts, networks = ['web']): Share {
  return {
    hosts: hosts.map((id) => ({ id, vtep: '192.0.2.1', live: live.includes(id) })),
    networks: networks.map((id, index) => ({
      id,
      name: id,
      vni: 100 + index,
      mtu: 1450,
      internal: false,
      subnets: [subnet],
    })),
    endpoints: networks.flatMap((id) => hosts.map((host) => endpoint(host, id))),
  };
}

let overlay: Overlay;
let here: Prober;
let there: Prober;
beforeEach(() => {
  overlay = new Overlay();
  here = overlay.prober('h1');
  there = overlay.prober('h2');
  for (const prober of [here, there]) {
    prober.follow(share(['h1', 'h2']));
    prober.start();
  }
});

describe('prober', () => {
  it('finds a way open once a frame of full size came back', async () => {
    await overlay.pass(4);
    expect(here.report()).toEqual([{ host: 'h2', network: 'web', state: 'ok', rttMs: 0 }]);
    expect(overlay.sizes).toContain(1450 - 48);
  });

  it('tells of each way how it was tried, and when something last came back', async () => {
    expect(here.ways()).toEqual([{ networkId: 'web', host: 'h2', state: null, mtu: 1_450 }]);
    await overlay.pass(4);
    overlay.fate = () => null;
    await overlay.pass(1);
    overlay.now += 250;
    expect(here.ways()).toMatchObject([
      { state: 'ok', rttMs: 0, triedAgoMs: 250, answeredAgoMs: 250 + probeEveryMs },
    ]);
  });

  it('says nothing before it has tried often enough', async () => {
    overlay.fate = () => null;
    await overlay.pass(3);
    expect(here.report()).toEqual([]);
    await overlay.pass(3);
    expect(here.report()).toEqual([{ host: 'h2', network: 'web', state: 'none' }]);
  });

  it('tells a way that carries small frames only', async () => {
    overlay.fate = (frame) => (frame.length > 1_000 ? null : frame);
    await overlay.pass(6);
    expect(here.report()).toMatchObject([{ host: 'h2', state: 'small' }]);
  });

  it('measures what such a way carries, and nothing on one that carries all', async () => {
    overlay.fate = (frame) => (frame.length > 1_352 ? null : frame);
    await overlay.pass(8);
    expect(here.measuredMtu).toBeNull();
    await overlay.pass(40);
    const [found] = here.report();
    expect(found?.mtu).toBeLessThanOrEqual(1_400);
    expect(found?.mtu).toBeGreaterThan(1_396);
    expect(here.measuredMtu).toBe(found?.mtu);
    overlay.fate = carries;
    await overlay.pass(3);
    expect(here.report()).toMatchObject([{ state: 'ok' }]);
    expect(here.measuredMtu).toBeNull();
  });

  it('takes one lost frame for bad luck', async () => {
    let sized = 0;
    overlay.fate = (frame) => {
      if (frame.length > 1_352) return null;
      if (frame.length > 64 && decodeProbe(frame)?.kind === 'ask') sized += 1;
      return sized % 3 === 1 && frame.length > 64 ? null : frame;
    };
    await overlay.pass(60);
    expect(here.measuredMtu).toBeGreaterThan(1_396);
  });

  it('tells a way on which frames come changed, in either direction', async () => {
    overlay.fate = (frame) => {
      if (decodeProbe(frame)?.kind !== 'ask' || frame.length < 1_000) return frame;
      const changed = frame.slice();
      changed[700] = ~(changed[700] ?? 0);
      return changed;
    };
    await overlay.pass(6);
    expect(here.report()).toMatchObject([{ host: 'h2', state: 'damaged' }]);
  });

  it('finds a way open again as soon as one full frame came back', async () => {
    overlay.fate = () => null;
    await overlay.pass(6);
    overlay.fate = carries;
    await overlay.pass(1);
    expect(here.report()).toMatchObject([{ state: 'ok' }]);
  });

  it('tries neither hosts that are down nor networks that are gone', async () => {
    here.follow(share(['h1', 'h2'], ['h1']));
    await overlay.pass(5);
    expect(here.report()).toEqual([]);
    here.follow({ hosts: [], networks: [], endpoints: [] });
    await overlay.pass(1);
    expect(here.report()).toEqual([]);
  });

  it('tells the worst of the networks that it shares with a host', async () => {
    for (const prober of [here, there])
      prober.follow(share(['h1', 'h2'], undefined, ['web', 'db']));
    await overlay.pass(2);
    there.follow(share(['h1', 'h2'], undefined, ['web']));
    await overlay.pass(8);
    expect(here.report()).toMatchObject([{ host: 'h2', network: 'db', state: 'none' }]);
  });

  it('opens its socket anew after it had to let go of the namespace', async () => {
    await overlay.pass(3);
    const before = overlay.opened.length;
    here.release('sk-100');
    await overlay.pass(4);
    expect(overlay.opened.length).toBe(before + 1);
    expect(here.report()).toMatchObject([{ state: 'ok' }]);
  });
});

describe('probe frame', () => {
  it('comes back as it was', () => {
    expect(decodeProbe(encodeProbe('answer', 0xffffffff, 1402))).toEqual({
      kind: 'answer',
      sequence: 0xffffffff,
      size: 1402,
      isIntact: true,
    });
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['what is no probe', new Uint8Array(200)],
    ['one cut short', encodeProbe('ask', 1, 200).subarray(0, 150)],
  ])('is not made of %s', (_, bytes) => {
    expect(decodeProbe(bytes)).toBeNull();
  });

  it('tells a changed byte', () => {
    const bytes = encodeProbe('ask', 7, 300);
    bytes[299] = (bytes[299] ?? 0) ^ 1;
    expect(decodeProbe(bytes)?.isIntact).toBe(false);
  });
});
