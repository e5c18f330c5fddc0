// The right to run an actor, as a replica holds it: by a lease in the store. Whatever the actor commits carries the token,
// so that one which has lost its right without noticing is refused.

import type { ActorAddress } from './behavior';

export interface Activation extends ActorAddress {
  /** The replica that runs it. */
  readonly replica: string;
  /** Grows with each activation of the address; the store's revision of the activation serves. */
  readonly fencingToken: number;
}
