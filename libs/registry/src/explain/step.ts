// One step of a way, and what is known of each end of it.

import type {
  AddressRecord,
  ReplyOf,
  agentStatusContract,
  explainContract,
} from '@skein/contracts';
import type { EndpointEntry, HostEntry } from '../state/entries';

export type Step = ReplyOf<typeof explainContract>['steps'][number];
export type AgentStatus = ReplyOf<typeof agentStatusContract>;

export interface End {
  readonly endpoint: EndpointEntry;
  readonly host: HostEntry | undefined;
  /** What the store says of each of its addresses. */
  readonly records: readonly { readonly address: string; readonly record: AddressRecord | null }[];
  /** Digest that the host's share has to have. */
  readonly digest: string;
  /** Revision up to which its agent has acknowledged its share. */
  readonly acked: number;
  /** What its agent says, or why it said nothing. */
  readonly status: AgentStatus | { readonly unreachable: string };
}

export function step(name: string, ok: boolean, detail: string, facts: Step['facts']): Step {
  return { step: name, ok, detail, facts };
}
