// The one way in which the core reports a bug: its own broken invariant or a driver that breaks the
// contract.

export function assert(fact: boolean, message: string): asserts fact {
  if (!fact) throw new Error(`raft: ${message}`);
}
