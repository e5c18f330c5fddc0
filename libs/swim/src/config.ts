// Every number that steers the protocol, with its unit, and the presets. memberlist's values unless DESIGN.md says why not.

export interface SwimConfig {
  /** Period of probes at full local health; also the deadline of a probe. */
  readonly probeIntervalMs: number;
  /** Wait for the direct ack before helpers are asked; about the 99th percentile of round trips. */
  readonly probeTimeoutMs: number;
  /** k: helpers asked for an indirect probe. */
  readonly indirectProbes: number;
  /** α: shortest suspicion is α · max(1, log10 N) · probeIntervalMs. */
  readonly suspicionMultiplier: number;
  /** β: longest suspicion is β times the shortest; 1 makes it fixed, as in plain SWIM. */
  readonly suspicionMaxMultiplier: number;
  /** K: independent confirmations that bring a suspicion down to its shortest. */
  readonly confirmations: number;
  /** λ: each opinion is sent λ · ⌈log10(N+1)⌉ times. */
  readonly retransmitMultiplier: number;
  readonly gossipIntervalMs: number;
  readonly fanout: number;
  /** For so long the dead are still gossiped to, so that they can hear of it and refute. */
  readonly gossipToTheDeadMs: number;
  /** For so long the dead and left are remembered, and the dead are tried again. */
  readonly deadRetentionMs: number;
  /** Dead for so long, a member's name may be claimed from another address; null: only after it left. */
  readonly deadReclaimMs: number | null;
  readonly pushPullIntervalMs: number;
  /** Period of tries to reach a dead member, or the seeds while nobody is there. */
  readonly reconnectIntervalMs: number;
  /** Local health runs from 0 to this less one; 1 turns it off. */
  readonly localHealthMax: number;
  readonly nack: boolean;
  /** Tells the suspect of its suspicion with the ping or ack that it gets anyway. */
  readonly buddy: boolean;
  readonly streamFallback: boolean;
  /** A tick later than this was no fault of others: running deadlines move with it. Infinity turns it off. */
  readonly stallMs: number;
  /** Heard nobody at all for so long, among more than two, a member doubts itself first. Infinity turns it off. */
  readonly silenceMs: number;
  readonly packetBytes: number;
  readonly maxMembers: number;
}

export type SwimPreset = 'lan' | 'wan' | 'local';

const lan: SwimConfig = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMultiplier: 4,
  suspicionMaxMultiplier: 6,
  confirmations: 3,
  retransmitMultiplier: 4,
  gossipIntervalMs: 200,
  fanout: 3,
  gossipToTheDeadMs: 30_000,
  deadRetentionMs: 86_400_000,
  deadReclaimMs: null,
  pushPullIntervalMs: 30_000,
  reconnectIntervalMs: 30_000,
  localHealthMax: 8,
  nack: true,
  buddy: true,
  streamFallback: true,
  stallMs: 500,
  silenceMs: 2_000,
  packetBytes: 1_400,
  maxMembers: 10_000,
};

const wan: Partial<SwimConfig> = {
  probeIntervalMs: 5_000,
  probeTimeoutMs: 2_500,
  suspicionMultiplier: 6,
  gossipIntervalMs: 500,
  fanout: 4,
  gossipToTheDeadMs: 60_000,
  pushPullIntervalMs: 60_000,
  stallMs: 3_000,
  silenceMs: 10_000,
};

/** One machine, a few members: a killed one is declared dead within two to three seconds. */
const local: Partial<SwimConfig> = {
  probeIntervalMs: 250,
  probeTimeoutMs: 100,
  indirectProbes: 2,
  suspicionMaxMultiplier: 3,
  gossipIntervalMs: 50,
  gossipToTheDeadMs: 15_000,
  deadReclaimMs: 10_000,
  pushPullIntervalMs: 5_000,
  reconnectIntervalMs: 2_000,
  localHealthMax: 4,
  stallMs: 100,
  silenceMs: 500,
};

const presets: Record<SwimPreset, SwimConfig> = {
  lan,
  wan: { ...lan, ...wan },
  local: { ...lan, ...local },
};

/** A preset with differences. Throws RangeError, naming the field, if they do not fit together. */
export function swimConfig(
  preset: SwimPreset,
  differences: Partial<SwimConfig> = {},
): Readonly<SwimConfig> {
  const config = { ...presets[preset], ...differences };
  const positive = [
    'probeIntervalMs',
    'probeTimeoutMs',
    'suspicionMultiplier',
    'retransmitMultiplier',
    'gossipIntervalMs',
    'fanout',
    'pushPullIntervalMs',
    'reconnectIntervalMs',
    'stallMs',
    'silenceMs',
    'maxMembers',
  ] as const;
  for (const field of positive) {
    if (!(config[field] > 0)) throw new RangeError(`${field} must be above 0`);
  }
  if (config.probeTimeoutMs * 1.8 >= config.probeIntervalMs) {
    throw new RangeError(
      'probeTimeoutMs: a direct and an indirect try do not fit a probe interval',
    );
  }
  if (config.suspicionMaxMultiplier < 1) throw new RangeError('suspicionMaxMultiplier below 1');
  if (config.localHealthMax < 1) throw new RangeError('localHealthMax below 1');
  if (config.packetBytes < 1_000 || config.packetBytes > 65_000) {
    throw new RangeError('packetBytes must be from 1000 to 65000');
  }
  return Object.freeze(config);
}
