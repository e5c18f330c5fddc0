// Judges a run: what clients were answered and watches were told, against the log that was committed. Each check gives the
// faults that it found as text; none is a good run.

import { isDeepStrictEqual } from 'node:util';
import { checkLinearizable, type Operation, type SequentialModel } from '@skein/simulation';
import type { KeyValue, RangeReply } from '@skein/store';
import type { Asked, Recorded } from './history';
import type { Replay } from './replay';
import type { Watched } from './workload';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
const told = ({ asked, once }: Recorded): string => `${JSON.stringify(asked)} (${once})`;

/** Every acknowledged write is in the log with that very answer; nothing that was refused outright took effect. */
export function checkAnswers(operations: readonly Recorded[], { writes }: Replay): string[] {
  return operations.flatMap((operation) => {
    const { once, ending } = operation;
    if (once === null || ending.kind === 'unknown') return [];
    const applied = writes.get(once);
    if (ending.kind === 'refused') {
      const tookEffect = applied?.outcome.ok === true;
      return tookEffect ? [`refused with ${ending.code} and done: ${told(operation)}`] : [];
    }
    if (applied === undefined) return [`acknowledged and not in the log: ${told(operation)}`];
    const { outcome } = applied;
    if (outcome.ok && isDeepStrictEqual(plain(outcome.reply), plain(ending.reply))) return [];
    return [`answered otherwise than it was done: ${told(operation)}`];
  });
}

/** No value was written twice: what was sent again was done once. */
export function checkOnce({ events }: Replay): string[] {
  const seen = new Set<string>();
  return events.flatMap(({ events: each }) =>
    each.flatMap(({ type, kv }) => {
      const name = `${kv.key} = ${kv.value}`;
      if (type === 'delete') return [];
      const faults = seen.has(name) ? [`written twice: ${name}`] : [];
      seen.add(name);
      return faults;
    }),
  );
}

/**
 * Revisions follow real time, over all keys: what was called after another was answered has a revision no lower, a write a
 * higher one; and a read tells exactly what its revision held.
 */
export function checkRevisions(operations: readonly Recorded[], replay: Replay): string[] {
  const moments = operations.flatMap((operation) => {
    const place = placeOf(operation, replay);
    if (place === null) return [];
    const call = { at: operation.call, operation, place, isCall: true };
    if (operation.end === Infinity) return [call];
    return [call, { at: operation.end, operation, place, isCall: false }];
  });
  moments.sort((one, other) => one.at - other.at);
  let floor = 0;
  return moments.flatMap(({ operation, place, isCall }) => {
    if (!isCall) {
      floor = Math.max(floor, place.revision);
      return [];
    }
    const least = place.changes ? floor + 1 : floor;
    const faults = [];
    if (place.revision < least) {
      faults.push(`at revision ${place.revision}, after ${floor} was answered: ${told(operation)}`);
    }
    if (operation.asked.kind === 'get') faults.push(...contentFaults(operation, replay));
    return faults;
  });
}

function placeOf({ asked, once, ending }: Recorded, { writes }: Replay) {
  if (asked.kind === 'get') {
    if (ending.kind !== 'answered') return null;
    return { revision: (ending.reply as RangeReply).revision, changes: false };
  }
  const applied = once === null ? undefined : writes.get(once);
  if (applied?.outcome.ok !== true) return null;
  const { before, revision } = applied;
  return { revision, changes: revision > before };
}

function contentFaults(operation: Recorded, { versions }: Replay): string[] {
  const { asked, ending } = operation;
  if (asked.kind !== 'get' || ending.kind !== 'answered') return [];
  const { revision, kvs } = ending.reply as RangeReply;
  const then = versions.get(asked.key)?.findLast(({ modRevision }) => modRevision <= revision);
  const expected = then === undefined || then.version === 0 ? undefined : then;
  if (isDeepStrictEqual(plain(kvs[0]), plain(expected))) return [];
  return [`not what revision ${revision} held: ${told(operation)}`];
}

interface RegisterUse {
  readonly key: string;
  readonly kind: 'put' | 'get' | 'swap' | 'delete';
  readonly value: string;
  readonly expected: string;
}

/** What a key holds, '' for nothing. Answers: get, put and delete give what was there; swap tells whether it did. */
const registers: SequentialModel<string, RegisterUse, string> = {
  initial: '',
  apply: (state, { kind, value, expected }, output) => {
    if (kind === 'swap') {
      const swaps = state === expected;
      if (output !== undefined && (output === 'swapped') !== swaps) return null;
      return swaps ? value : state;
    }
    if (output !== undefined && output !== state) return null;
    return kind === 'get' ? state : value;
  },
  keyOf: (state) => state,
};

/** One order explains every answer on each shared key. Outcomes that no client learned are taken from the log. */
export function checkOrder(operations: readonly Recorded[], replay: Replay, end: number): string[] {
  const history = operations.flatMap((operation): Operation<RegisterUse, string>[] => {
    const input = useOf(operation.asked);
    if (input === undefined) return [];
    const reply = replyOf(operation, replay);
    if (reply === undefined) return [];
    const output = outputOf(input.kind, reply);
    return [{ call: operation.call, return: Math.min(operation.end, end), input, output }];
  });
  const { result, part } = checkLinearizable(registers, history, ({ key }) => key, 20_000_000);
  return result === 'linearizable' ? [] : [`${result}: key ${part}`];
}

function useOf(asked: Asked): RegisterUse | undefined {
  if (!('key' in asked) || !asked.key.startsWith('register/')) return undefined;
  return { value: '', expected: '', ...asked };
}

/** What it was answered, or would have been; undefined if it was never done. */
function replyOf({ once, ending }: Recorded, { writes }: Replay): unknown {
  if (ending.kind === 'answered') return ending.reply;
  const outcome = once === null ? undefined : writes.get(once)?.outcome;
  return outcome?.ok === true ? outcome.reply : undefined;
}

function outputOf(kind: RegisterUse['kind'], reply: unknown): string {
  if (kind === 'get') return (reply as RangeReply).kvs[0]?.value ?? '';
  if (kind === 'swap') return (reply as { succeeded: boolean }).succeeded ? 'swapped' : 'kept';
  const { previous } = reply as { previous?: KeyValue | KeyValue[] };
  return [previous].flat()[0]?.value ?? '';
}

/** Each watch was told every revision of its prefix, once, in order, whole, with the values that were replaced. */
export function checkWatches(watched: readonly Watched[], { events }: Replay): string[] {
  return watched.flatMap(({ prefix, from, seen }, n) => {
    const expected = events
      .filter(({ revision }) => revision >= from)
      .map(({ revision, at, events: each }) => ({
        revision,
        at,
        events: each.filter(({ kv }) => kv.key.startsWith(prefix)),
      }))
      .filter(({ events: each }) => each.length > 0);
    const wrong = expected.findIndex(
      (each, at) => !isDeepStrictEqual(plain(each), plain(seen[at])),
    );
    if (wrong < 0 && seen.length === expected.length) return [];
    const place = wrong < 0 ? expected.length : wrong;
    return [
      `watch ${n} of '${prefix}' was told revision ${seen[place]?.revision} where ${expected[place]?.revision} was due`,
    ];
  });
}

/** The clocks of two processes on one machine are read a moment apart. */
const clockSlackMs = 20;

/** No lease ran out within its time after a renewal that was acknowledged, and none was renewed after its end. */
export function checkLeases(
  operations: readonly Recorded[],
  { writes, expiredAt }: Replay,
): string[] {
  const leases = new Map<string, { ttlMs: number; heldUntil: number; endedAt: number }>();
  return operations.flatMap((operation) => {
    const { asked, calledAt, endedAt, once, ending } = operation;
    if (ending.kind !== 'answered') return [];
    if (asked.kind === 'grant') {
      const { lease, ttlMs } = ending.reply as { lease: string; ttlMs: number };
      const heldUntil = calledAt + ttlMs;
      leases.set(lease, { ttlMs, heldUntil, endedAt: Infinity });
      return earlyEnd(lease, heldUntil, expiredAt);
    }
    if (!('lease' in asked)) return [];
    const lease = leases.get(asked.lease);
    if (lease === undefined) return [];
    if (asked.kind === 'revoke' && once !== null && writes.has(once)) lease.endedAt = endedAt;
    if (asked.kind !== 'keepAlive') return [];
    if (calledAt > lease.endedAt) return [`renewed after its end: ${told(operation)}`];
    return earlyEnd(asked.lease, calledAt + lease.ttlMs, expiredAt);
  });
}

function earlyEnd(lease: string, heldUntil: number, expiredAt: ReadonlyMap<string, number>) {
  const ended = expiredAt.get(lease) ?? Infinity;
  if (ended >= heldUntil - clockSlackMs) return [];
  return [`lease ${lease} ran out ${Math.round(heldUntil - ended)} ms too early`];
}
