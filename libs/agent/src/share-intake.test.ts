import { describe, expect, it } from '@jest/globals';
import type { Share } from '@skein/contracts';
import { diff, digestOf } from '@skein/share';
import { ShareIntake } from './share-intake';

const host = (id: string) => ({ id, vtep: '192.0.2.1', live: true });
const first: Share = { hosts: [host('h1')], networks: [], endpoints: [] };
const second: Share = { hosts: [host('h1'), host('h2')], networks: [], endpoints: [] };
const snapshot = { kind: 'snapshot', revision: 5, digest: digestOf(first), share: first } as const;
const delta = {
  kind: 'delta',
  base: 5,
  revision: 7,
  digest: digestOf(second),
  delta: diff(first, second),
} as const;

describe('share intake', () => {
  it('takes a delta that fits what it has', () => {
    const intake = new ShareIntake();
    expect([intake.take(snapshot), intake.take(delta)]).toEqual([true, true]);
    expect(intake.revision).toBe(7);
    expect(intake.digest).toBe(digestOf(second));
  });

  it('wants a snapshot before any delta', () => {
    const intake = new ShareIntake();
    expect(intake.take({ ...delta, base: 0 })).toBe(false);
    expect(intake.revision).toBe(0);
  });

  it('refuses a registry that another one has followed, whatever it sends', () => {
    const intake = new ShareIntake();
    expect(intake.take({ ...snapshot, fencing: 8 })).toBe(true);
    const older = { ...snapshot, revision: 9, digest: digestOf(second), share: second };
    expect(intake.take({ ...older, fencing: 3 })).toBe(false);
    expect(intake.take({ ...delta, fencing: 3 })).toBe(false);
    expect(intake.share).toEqual(first);
    expect(intake.take({ ...delta, fencing: 8 })).toBe(true);
    expect(intake.take({ ...snapshot, revision: 9, fencing: 12 })).toBe(true);
  });

  it('refuses what is older than what it has, from whatever registry: it came twice or late', () => {
    const intake = new ShareIntake();
    expect([intake.take(snapshot), intake.take(delta)]).toEqual([true, true]);
    expect(intake.take(snapshot)).toBe(false);
    expect(intake.take({ ...snapshot, fencing: 12 })).toBe(false);
    expect(intake.share).toEqual(second);
  });

  it.each([
    ['another base', { ...delta, base: 4 }],
    ['another digest', { ...delta, digest: 'ffffffffffffffff' }],
    [
      'a snapshot that is not what it says',
      { ...snapshot, revision: 9, digest: 'x', share: second },
    ],
  ])('changes nothing for %s', (_name, push) => {
    const intake = new ShareIntake();
    intake.take(snapshot);
    expect(intake.take(push)).toBe(false);
    expect(intake.revision).toBe(5);
    expect(intake.share).toEqual(first);
    expect(intake.digest).toBe(digestOf(first));
    expect(intake.take(delta)).toBe(true);
  });
});

describe('what a share intake says has changed', () => {
  const endpoint = (id: string, on: string, at: number) => ({
    id,
    networkId: 'n1',
    host: on,
    name: id,
    aliases: [],
    addresses: [`10.1.0.${at}/24`],
    mac: `02:42:0a:01:00:0${at}`,
  });
  const a = endpoint('a', 'h1', 2);
  const b = endpoint('b', 'h2', 3);
  const c = endpoint('c', 'h2', 4);
  const shareOf = (endpoints: Share['endpoints']): Share => ({ ...second, endpoints });

  /** Takes the shares one after the other and answers what `changes` says after the last. */
  function changesOver(...steps: Share['endpoints'][]) {
    const intake = new ShareIntake();
    const shares = steps.map(shareOf);
    for (const [at, share] of shares.entries()) {
      const before = shares[at - 1];
      const head = { revision: at + 1, digest: digestOf(share) };
      const push =
        before === undefined
          ? ({ ...head, kind: 'snapshot', share } as const)
          : ({ ...head, kind: 'delta', base: at, delta: diff(before, share) } as const);
      if (at === 1) intake.changes();
      expect(intake.take(push)).toBe(true);
    }
    return intake.changes();
  }

  it('is endpoints alone where hosts and networks stay', () => {
    expect(changesOver([a, b], [a, b, c])).toEqual([{ before: undefined, after: c }]);
    expect(changesOver([a, b, c], [a, b])).toEqual([{ before: c, after: undefined }]);
  });

  it('is the whole way over several deltas', () => {
    const moved = { ...c, name: 'other' };
    expect(changesOver([a, b], [a, b, c], [a, b, moved])).toEqual([
      { before: undefined, after: moved },
    ]);
  });

  it('is more than endpoints after a snapshot', () => {
    expect(changesOver([a, b])).toBeNull();
  });

  it('is more than endpoints where a host begins or ends to take part', () => {
    expect(changesOver([a], [a, b])).toBeNull();
    expect(changesOver([a, b], [a])).toBeNull();
  });
});
