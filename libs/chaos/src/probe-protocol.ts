// What the prober inside the world is told, and what it tells: one JSON object a line each way.

/** Who a sandbox is at the moment: on which network, with which addresses. */
export interface Holding {
  readonly endpoint: string;
  readonly network: string;
  readonly host: string;
  /** Without prefix lengths. */
  readonly addresses: readonly string[];
}

export type ProbeOrder =
  | { readonly do: 'open'; readonly sandbox: string; readonly netns: string }
  | { readonly do: 'close'; readonly sandbox: string }
  | { readonly do: 'hold'; readonly sandbox: string; readonly holding: Holding }
  | { readonly do: 'release'; readonly sandbox: string }
  /** Each pair once more, with patience: answered with `round`. */
  | { readonly do: 'round'; readonly patienceMs: number };

/** `other`: it arrived at a sandbox that does not hold the address; `twice`: it was answered twice. */
export type Outcome = 'answered' | 'lost' | 'unsent' | 'other' | 'twice';

/** Endpoint that asked, endpoint that was asked, address, when, and what came of it; `by` names who else answered. */
export type Probe = readonly [
  from: string,
  to: string,
  address: string,
  sentAt: number,
  outcome: Outcome,
  by?: string,
];

export type ProbeReport =
  | { readonly tell: 'opened'; readonly sandbox: string; readonly fault?: string }
  | { readonly tell: 'probes'; readonly probes: readonly Probe[] }
  /** A sandbox that holds an address no more was heard with it by another, while somebody else holds it. */
  | {
      readonly tell: 'impostor';
      readonly address: string;
      readonly speaker: string;
      readonly holder: string;
      readonly heardBy: string;
      readonly at: number;
    }
  | { readonly tell: 'round'; readonly asked: number; readonly silent: readonly Probe[] };
