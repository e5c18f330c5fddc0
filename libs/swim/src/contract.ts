// The core's contract: what goes in (with the time), what comes out. Whoever drives the core does the effects.

import type { Member } from './member';
import type { SwimMessage } from './message';

/** `now` is monotonic, in milliseconds, and common to all inputs of one core. */
export type SwimInput =
  | { readonly kind: 'start'; readonly now: number }
  | {
      readonly kind: 'tick';
      readonly now: number;
      /**
       * What is sent now leaves late, as from a loop that blocks on its socket: each activity sends once more and then waits
       * for a tick that is not blocked. Suspicions run out all the same. Default false.
       */
      readonly isBlocked?: boolean;
    }
  | {
      readonly kind: 'receive';
      readonly now: number;
      /** `ip:port` that the messages came from; acks go back there. */
      readonly from: string;
      readonly via: 'datagram' | 'stream';
      readonly messages: readonly SwimMessage[];
    }
  | { readonly kind: 'join'; readonly now: number; readonly addresses: readonly string[] }
  | {
      readonly kind: 'updateTags';
      readonly now: number;
      readonly tags: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'leave'; readonly now: number };

/**
 * `datagram` is one packet. `stream` opens a stream, writes the messages and feeds what comes back as `receive`.
 * `reply` goes out on the stream that the input came by.
 */
export interface SwimSend {
  readonly to: string;
  readonly via: 'datagram' | 'stream' | 'reply';
  readonly messages: readonly SwimMessage[];
}

export type SwimEvent =
  /** New, or back from suspicion, death or leave. */
  | {
      readonly kind: 'memberAlive';
      readonly member: Member;
      readonly previous: Member['state'] | 'unknown';
    }
  | { readonly kind: 'memberSuspect'; readonly member: Member; readonly accuser: string }
  | { readonly kind: 'memberDead'; readonly member: Member; readonly accuser: string }
  | { readonly kind: 'memberLeft'; readonly member: Member }
  /** A live member's boot id or tags changed; a new boot id means that it restarted unnoticed. */
  | { readonly kind: 'memberUpdated'; readonly member: Member; readonly before: Member }
  /** A dead or left member is no longer remembered. */
  | { readonly kind: 'memberForgotten'; readonly member: Member }
  /** Someone claims a name from another address; the claim is rejected. */
  | {
      readonly kind: 'conflict';
      readonly name: string;
      readonly holder: string;
      readonly claimant: string;
    }
  /** This member was accused, or remembered otherwise than it is, and raised its incarnation. */
  | { readonly kind: 'refuted'; readonly incarnation: number; readonly accuser: string }
  /** The member answers streams but no datagrams: UDP is blocked on the way. */
  | { readonly kind: 'memberStreamOnly'; readonly member: Member }
  /** Datagrams get through to it again. */
  | { readonly kind: 'memberDatagramsPass'; readonly member: Member }
  | { readonly kind: 'localHealthChanged'; readonly score: number }
  /** The own leave has been gossiped as often as it will be, or there is nobody to tell. */
  | { readonly kind: 'leaveSent' };

export type SwimTrace =
  | { readonly kind: 'probeSent'; readonly target: string; readonly seq: number }
  | {
      readonly kind: 'probeAcked';
      readonly target: string;
      readonly way: 'direct' | 'indirect' | 'stream';
      readonly rttMs: number;
    }
  | {
      readonly kind: 'probeFailed';
      readonly target: string;
      readonly nacks: number;
      readonly expectedNacks: number;
    }
  | { readonly kind: 'indirectProbe'; readonly target: string; readonly helpers: readonly string[] }
  | {
      readonly kind: 'confirmed';
      readonly name: string;
      readonly accuser: string;
      readonly confirmations: number;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: 'ignored';
      readonly what: SwimMessage['kind'];
      readonly name: string;
      readonly reason: 'stale' | 'unknownMember' | 'notForMe' | 'alreadyGone' | 'full';
    }
  | { readonly kind: 'downgraded'; readonly name: string; readonly source: string }
  | { readonly kind: 'stalled'; readonly lateMs: number };

export interface SwimEffects {
  readonly send: readonly SwimSend[];
  readonly events: readonly SwimEvent[];
  readonly trace: readonly SwimTrace[];
  /** When the next `tick` is due, on the clock of `now`; Infinity if nothing is. */
  readonly wakeAtMs: number;
}
