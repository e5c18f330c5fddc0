// One host's feed against an agent that the test plays.

import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@skein/messaging';
import {
  applyDelta,
  CommittedState,
  digestOf,
  emptyShare,
  type Share,
  type ShareDelta,
} from '@skein/share';
import type { EndpointEntry, EntryChange, HostEntry, NetworkEntry } from '../state/entries';
import { endpointRecord, hostRecord, networkRecord, settled } from '../testing/records';
import { HostFeed, type ProgramReply, type ProgramRequest } from './host-feed';

class Stage {
  readonly state = new CommittedState<NetworkEntry, HostEntry, EndpointEntry>();
  revision = 0;
  readonly requests: ProgramRequest[] = [];
  readonly timers: { ms: number; action: () => void }[] = [];
  /** Answers what is in flight. */
  answer: ((reply: ProgramReply | Error) => void) | undefined;
  /** What the agent has. */
  share: Share = emptyShare();
  programmed = 0;
  readonly feed: HostFeed;

  constructor() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const stage = this;
    this.feed = new HostFeed({
      hostId: 'h1',
      view: {
        state: this.state,
        get revision() {
          return stage.revision;
        },
      },
      program: (_hostId, request) => this.#program(request),
      time: {
        after: (ms, action) => {
          const timer = { ms, action };
          this.timers.push(timer);
          return () => void this.timers.splice(this.timers.indexOf(timer) >>> 0, 1);
        },
      },
      logger: silentLogger,
    });
  }

  change(...changes: EntryChange[]): void {
    this.revision += 1;
    const touched = this.state.apply(changes).get('h1');
    if (touched !== undefined) this.feed.touch(touched, this.revision);
  }

  attach(id: string, host = 'h1'): void {
    const record = { ...endpointRecord(id, 'n1', host), revision: this.revision + 1 };
    this.change({ kind: 'endpoint', id, record });
  }

  /** The agent does what it is asked, and answers. */
  async obey(faults: ProgramReply['faults'] = []): Promise<void> {
    const request = this.requests.at(-1)!;
    if (request.kind === 'snapshot') this.share = request.share as Share;
    else if (request.base === this.programmed)
      this.share = applyDelta(this.share, request.delta as ShareDelta);
    else return this.reply({ snapshotWanted: true });
    this.programmed = request.revision;
    return this.reply({ faults });
  }

  async reply(fields: Partial<ProgramReply> = {}): Promise<void> {
    const digest = digestOf(this.share);
    const { programmed } = this;
    this.answer?.({
      host: 'h1',
      bootId: 'boot-1',
      programmed,
      digest,
      snapshotWanted: false,
      faults: [],
      ...fields,
    });
    await settled(1);
  }

  async fail(): Promise<void> {
    this.answer?.(new Error('no answer'));
    await settled(1);
  }

  fire(): void {
    this.timers.shift()!.action();
  }

  #program(request: ProgramRequest): Promise<ProgramReply> {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      this.answer = (reply) => (reply instanceof Error ? reject(reply) : resolve(reply));
    });
  }
}

async function running(): Promise<Stage> {
  const stage = new Stage();
  stage.change(
    { kind: 'network', id: 'n1', record: { ...networkRecord('n1', 'web'), revision: 1 } },
    { kind: 'host', id: 'h1', record: { ...hostRecord('h1'), revision: 1 } },
    { kind: 'host', id: 'h2', record: { ...hostRecord('h2'), revision: 1 } },
  );
  stage.feed.resync();
  await stage.obey();
  if (stage.requests.length > 1) await stage.obey();
  stage.requests.length = 0;
  return stage;
}

describe('feed of a host', () => {
  it('begins with a snapshot and goes on with deltas', async () => {
    const stage = await running();
    stage.attach('e1');
    expect(stage.requests[0]).toMatchObject({ kind: 'delta', base: 1, revision: 2 });
    await stage.obey();
    expect(digestOf(stage.share)).toBe(stage.state.digestOf('h1'));
    expect(stage.feed.acked).toBe(2);
  });

  it('takes no acknowledgement of a boot that is not committed: it will be released as it registers', async () => {
    const stage = await running();
    stage.attach('e1');
    const waiting = stage.feed.waitFor(2, 1_000);
    stage.share = applyDelta(stage.share, (stage.requests[0] as { delta: ShareDelta }).delta);
    stage.programmed = 2;
    await stage.reply({ bootId: 'boot-2' });
    expect(stage.feed.acked).toBeLessThan(2);
    stage.timers.find(({ ms }) => ms === 1_000)?.action();
    expect(await waiting).toMatchObject({ acked: false });
  });

  it('has one request in flight, and gathers what comes meanwhile', async () => {
    const stage = await running();
    stage.attach('e1');
    stage.attach('e2');
    stage.attach('e3', 'h2');
    expect(stage.requests).toHaveLength(1);
    await stage.obey();
    expect(stage.requests).toHaveLength(2);
    expect(stage.requests[1]).toMatchObject({ base: 2, revision: 4 });
    await stage.obey();
    expect(stage.share).toEqual(expect.objectContaining({ endpoints: expect.anything() }));
    expect(digestOf(stage.share)).toBe(stage.state.digestOf('h1'));
  });

  it('counts as current while nothing touches its share', async () => {
    const stage = await running();
    stage.attach('e1', 'h2');
    expect(stage.requests).toHaveLength(0);
    expect(stage.feed.acked).toBe(2);
    expect(await stage.feed.waitFor(2, 1_000)).toEqual({ acked: true, faults: [] });
  });

  it('lets waiters go when their revision is programmed, with the faults of that', async () => {
    const stage = await running();
    stage.attach('e1');
    stage.attach('e2');
    const first = stage.feed.waitFor(2, 1_000);
    let second: unknown;
    void stage.feed.waitFor(3, 1_000).then((outcome) => (second = outcome));
    const faults = [{ endpointId: 'e1', code: 'sandbox_not_found', message: 'none' }];
    await stage.obey(faults);
    expect(await first).toEqual({ acked: true, faults });
    expect(second).toBeUndefined();
    await stage.obey();
    expect(second).toEqual({ acked: true, faults });
  });

  it('lets a waiter go when its time is up', async () => {
    const stage = await running();
    stage.attach('e1');
    const waiting = stage.feed.waitFor(2, 50);
    stage.fire();
    expect(await waiting).toEqual({ acked: false, faults: [] });
  });

  it('retries with growing pauses, and the delta then carries all that is missing', async () => {
    const stage = await running();
    stage.attach('e1');
    await stage.fail();
    expect(stage.feed.acked).toBe(1);
    stage.attach('e2');
    expect(stage.timers.map(({ ms }) => ms)).toEqual([100]);
    stage.fire();
    await stage.fail();
    expect(stage.timers.map(({ ms }) => ms)).toEqual([200]);
    stage.fire();
    await stage.obey();
    expect(stage.feed.acked).toBe(3);
    expect(digestOf(stage.share)).toBe(stage.state.digestOf('h1'));
  });

  it('sends a snapshot to an agent that has another revision', async () => {
    const stage = await running();
    stage.programmed = 7;
    stage.attach('e1');
    await stage.obey();
    expect(stage.requests.map(({ kind }) => kind)).toEqual(['delta', 'snapshot']);
    await stage.obey();
    expect(stage.feed.acked).toBe(2);
  });

  it('does not take an acknowledgement with another digest', async () => {
    const stage = await running();
    stage.attach('e1');
    stage.programmed = 2;
    await stage.reply({ digest: 'another' });
    expect(stage.feed.acked).toBe(0);
    expect(stage.requests.at(-1)?.kind).toBe('snapshot');
  });

  it('sends a snapshot when two heartbeats in a row differ from what was acknowledged', async () => {
    const stage = await running();
    stage.feed.heard({ revision: 1, digest: 'another' });
    stage.feed.heard({ revision: 1, digest: stage.state.digestOf('h1') });
    stage.feed.heard({ revision: 0, digest: '' });
    expect(stage.requests).toHaveLength(0);
    stage.feed.heard({ revision: 0, digest: '' });
    expect(stage.requests.map(({ kind }) => kind)).toEqual(['snapshot']);
  });

  it('takes over an agent that is current without sending anything', async () => {
    const stage = new Stage();
    stage.state.apply([{ kind: 'host', id: 'h1', record: { ...hostRecord('h1'), revision: 1 } }]);
    stage.revision = 9;
    stage.feed.heard({ revision: 4, digest: stage.state.digestOf('h1') });
    expect(stage.requests).toHaveLength(0);
    expect(stage.feed.acked).toBe(9);
  });

  it('lets nothing count that was in flight when the agent started anew', async () => {
    const stage = await running();
    stage.attach('e1');
    const answerOfBefore = stage.answer;
    stage.feed.resync();
    // The agent that was asked may be dead and never answer: the new one is told at once.
    expect(stage.requests.map(({ kind }) => kind)).toEqual(['delta', 'snapshot']);
    answerOfBefore?.({
      host: 'h1',
      bootId: 'b',
      programmed: stage.revision,
      digest: stage.state.digestOf('h1'),
      snapshotWanted: false,
      faults: [],
    });
    await settled(1);
    expect(stage.feed.acked).toBe(0);
    await stage.obey();
    expect(stage.feed.acked).toBe(stage.revision);
    expect(stage.requests).toHaveLength(2);
  });

  it('lets no failure count of what was in flight when the agent started anew', async () => {
    const stage = await running();
    stage.attach('e1');
    const answerOfBefore = stage.answer;
    stage.feed.resync();
    answerOfBefore?.(new Error('no answer'));
    await settled(1);
    await stage.obey();
    expect(stage.feed.acked).toBe(stage.revision);
    expect(stage.timers).toHaveLength(0);
  });
});
