// A linearizability checker: the Wing-Gong search in Lowe's form (undo list, cache of
// configurations seen), one part of the history at a time (P-compositionality). It must not know
// what the operations mean; a model tells it.

/** A sequential object. States must be small; `keyOf` must tell different states apart. */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State;
  /**
   * The state after `input`, or null when `output` is impossible. An undefined output is unknown:
   * any is possible.
   */
  readonly apply: (state: State, input: Input, output: Output | undefined) => State | null;
  readonly keyOf: (state: State) => string;
}

/**
 * `call` and `return` are positions in one total order; an operation without answer returns at
 * Infinity.
 */
export interface Operation<Input, Output> {
  readonly call: number;
  readonly return: number;
  readonly input: Input;
  readonly output: Output | undefined;
}

/** `gave_up`: the search grew beyond its budget and says nothing. */
export type LinearizabilityResult = 'linearizable' | 'violated' | 'gave_up';

interface Node {
  readonly operation: number;
  readonly isCall: boolean;
  previous: Node | null;
  next: Node | null;
  match: Node | null;
}

/**
 * Checks each part of the history by itself; `partOf` names the object that an operation touches.
 */
export function checkLinearizable<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  partOf: (input: Input) => string,
  budget = 200_000,
): { readonly result: LinearizabilityResult; readonly part: string | null } {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    const part = partOf(operation.input);
    const operations = parts.get(part);
    if (operations === undefined) parts.set(part, [operation]);
    else operations.push(operation);
  }
  let gaveUpAt: string | null = null;
  for (const part of [...parts.keys()].sort()) {
    const result = checkPart(model, parts.get(part) ?? [], budget);
    if (result === 'violated') return { result, part };
    if (result === 'gave_up') gaveUpAt = part;
  }
  return { result: gaveUpAt === null ? 'linearizable' : 'gave_up', part: gaveUpAt };
}

function buildList(operations: readonly Operation<unknown, unknown>[]): Node {
  const events = operations.flatMap(({ call, return: end }, operation) => [
    { at: call, operation, isCall: true },
    { at: end, operation, isCall: false },
  ]);
  // An answer at the very position of a call comes first only if it is of an earlier operation;
  // positions are unique but for Infinity.
  events.sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? -1 : 1));
  const head: Node = { operation: -1, isCall: false, previous: null, next: null, match: null };
  const calls = new Map<number, Node>();
  let last = head;
  for (const { operation, isCall } of events) {
    const node: Node = { operation, isCall, previous: last, next: null, match: null };
    last.next = node;
    last = node;
    if (isCall) {
      calls.set(operation, node);
      continue;
    }
    const call = calls.get(operation);
    if (call === undefined) throw new Error('an operation returns before its call');
    call.match = node;
  }
  return head;
}

function lift(call: Node): void {
  unlink(call);
  if (call.match !== null) unlink(call.match);
}

function unlift(call: Node): void {
  if (call.match !== null) relink(call.match);
  relink(call);
}

function unlink(node: Node): void {
  if (node.previous !== null) node.previous.next = node.next;
  if (node.next !== null) node.next.previous = node.previous;
}

function relink(node: Node): void {
  if (node.previous !== null) node.previous.next = node;
  if (node.next !== null) node.next.previous = node;
}

class BitSet {
  private readonly words: Uint32Array;

  constructor(size: number) {
    this.words = new Uint32Array((size + 31) >> 5);
  }

  flip(at: number): void {
    const word = at >> 5;
    this.words[word] = (this.words[word] as number) ^ (1 << (at & 31));
  }

  key(): string {
    return this.words.join(',');
  }
}

function checkPart<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  budget: number,
): LinearizabilityResult {
  const head = buildList(operations);
  const done = new BitSet(operations.length);
  const seen = new Set<string>();
  const path: { readonly call: Node; readonly state: State }[] = [];
  // What is unanswered need not have happened: once all answered operations are placed, the history
  // stands.
  let answeredLeft = operations.filter((operation) => operation.return !== Infinity).length;
  let { initial: state } = model;
  let at = head.next;
  for (let steps = 0; answeredLeft > 0; steps += 1) {
    if (steps > budget) return 'gave_up';
    if (at?.isCall === true) {
      const operation = operations[at.operation] as Operation<Input, Output>;
      const next = model.apply(state, operation.input, operation.output);
      if (next !== null) {
        done.flip(at.operation);
        const key = `${done.key()}|${model.keyOf(next)}`;
        if (!seen.has(key)) {
          seen.add(key);
          path.push({ call: at, state });
          state = next;
          lift(at);
          if (operation.return !== Infinity) answeredLeft -= 1;
          at = head.next;
          continue;
        }
        done.flip(at.operation);
      }
      at = at.next;
      continue;
    }
    // An answer stands before every operation that could still be placed: undo the last choice.
    const last = path.pop();
    if (last === undefined) return 'violated';
    state = last.state;
    done.flip(last.call.operation);
    if ((operations[last.call.operation] as Operation<Input, Output>).return !== Infinity) {
      answeredLeft += 1;
    }
    unlift(last.call);
    at = last.call.next;
  }
  return 'linearizable';
}
