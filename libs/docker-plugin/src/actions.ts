// What the door does about a call: answer it, or first have something done at the registry. Each is done by the door's edge, which
// then comes back with the outcome.

import type { Refusal } from './book';

/** An endpoint to be held. */
export interface AttachOrder {
  readonly id: string;
  readonly network: string;
  readonly mac?: string;
  /** Plain. Of its own choice: the registry gives one of each family. */
  readonly addresses?: readonly string[];
  /** Once it is attached. */
  readonly then:
    | { readonly reply: 'address'; readonly poolId: string }
    | { readonly reply: 'endpoint'; readonly engineId: string; readonly hasMac: boolean };
  /** Endpoints that this one takes the place of: they go first. */
  readonly instead?: string;
}

/** A network that the engine was told of and that is not there yet. */
export interface Declaration {
  readonly name: string;
  readonly internal: boolean;
  readonly subnets: readonly {
    readonly cidr: string;
    readonly gateway?: string;
    readonly reserved?: Readonly<Record<string, string>>;
  }[];
}

export type Action =
  | { readonly kind: 'reply'; readonly body: object }
  | Refusal
  | { readonly kind: 'attach'; readonly order: AttachOrder }
  | {
      readonly kind: 'detach';
      readonly id: string;
      readonly network: string;
      readonly body: object;
    }
  /** Then the call is to be handed in again. */
  | { readonly kind: 'declare'; readonly network: Declaration }
  /** The network may be too new to be known: ask, then hand the call in again. */
  | { readonly kind: 'ask' }
  /** The host's kernel may not have the interface yet: wait for that, then hand the call in again. */
  | { readonly kind: 'plug'; readonly id: string }
  /** The endpoint is being attached for an earlier call: wait for that, then hand the call in again. */
  | { readonly kind: 'wait'; readonly id: string };

export interface Attached {
  readonly addresses: readonly string[];
  readonly mac: string;
  /** Whether this host's kernel has the interface. */
  readonly isPlugged: boolean;
}

export function reply(body: object = {}): Action {
  return { kind: 'reply', body };
}
