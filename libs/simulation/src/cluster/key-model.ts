// One key of the store as a sequential object, for the linearizability checker: its value and revision. The
// second opinion beside the comparison with the log, and written without the store's code. It must not know
// replicas.
import type { KeyValue } from '@skein/store';
import type { Operation, SequentialModel } from '../linearizability';
import type { Answers, Call } from './answers';
import type { CommittedLog } from './committed-log';

export interface KeyState {
  /** Null when there is no such key. */
  readonly value: string | null;
  readonly modRevision: number;
}

export type KeyInput = { readonly key: string } & (
  | { readonly kind: 'get' }
  /** Null deletes. What was written, at which revision. */
  | { readonly kind: 'set'; readonly value: string | null; readonly revision: number }
);

export type KeyOutput = { readonly value: string | null; readonly modRevision: number };

export const keyModel: SequentialModel<KeyState, KeyInput, KeyOutput> = {
  initial: { value: null, modRevision: 0 },
  apply: (state, input, output) => {
    if (input.kind === 'set') {
      if (input.revision <= state.modRevision) return null;
      return { value: input.value, modRevision: input.revision };
    }
    if (output === undefined) return state;
    if (state.value === null) return output.value === null ? state : null;
    return output.value === state.value && output.modRevision === state.modRevision ? state : null;
  },
  keyOf: ({ value, modRevision }) => `${modRevision} ${value}`,
};

type KeyOperation = Operation<KeyInput, KeyOutput>;

/**
 * What the checker judges: reads as they were answered, and writes that took effect, whose revisions the log
 * knows even where no client was told. A write takes effect before anybody holds it as committed.
 */
export function keyHistory(answers: Answers, committed: CommittedLog): KeyOperation[] {
  const reads = answers.calls.flatMap((call) => readsOf(call));
  const calls = new Map<string, Call>();
  for (const call of answers.calls) {
    const { wish } = call;
    if (wish.kind !== 'write' || !('once' in wish.request) || wish.request.once === undefined)
      continue;
    calls.set(`${wish.request.once.client}:${wish.request.once.sequence}`, call);
  }
  return [...reads, ...writesOf(committed, calls)];
}

function readsOf(call: Call): KeyOperation[] {
  const { wish, read } = call;
  if (wish.kind !== 'read' || read === null || (wish.range.revision ?? 0) > 0) return [];
  if (wish.level !== 'linearizable' && wish.level !== 'lease') return [];
  if (wish.range.prefix === true) return read.kvs.map((kv) => readOf(call, kv.key, kv));
  return [readOf(call, wish.range.key, read.kvs[0])];
}

function readOf(call: Call, key: string, kv: KeyValue | undefined): KeyOperation {
  return {
    call: call.position,
    return: call.endPosition,
    input: { kind: 'get', key },
    output: { value: kv?.value ?? null, modRevision: kv?.modRevision ?? 0 },
  };
}

function* writesOf(
  committed: CommittedLog,
  calls: ReadonlyMap<string, Call>,
): Generator<KeyOperation> {
  for (const { revision, position, events, once } of committed.writes) {
    const call = once === null ? undefined : calls.get(once);
    const answered = call?.outcome === 'done' ? call.endPosition : Infinity;
    for (const { type, kv } of events) {
      yield {
        call: call?.position ?? 0,
        return: Math.min(answered, position),
        input: { kind: 'set', key: kv.key, value: type === 'put' ? kv.value : null, revision },
        output: undefined,
      };
    }
  }
}
