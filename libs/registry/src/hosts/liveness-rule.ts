// When a silent host is cut off: from heartbeats and gossip's opinions to the hosts that are to be committed `down`.
// Pure; it knows no time and writes nothing (DESIGN §3.4: opinions become a committed cut, with hold-down and brake).

export interface LivenessLimits {
  /** A host is not accused while its own heartbeat is younger; an accuser counts only while its own is. */
  readonly silenceMs: number;
  /**
   * After this silence those who only suspect a host count as accusers, if they outnumber those who call it alive: heartbeats
   * and gossip go different ways, and neither hears of it.
   */
  readonly suspectSilenceMs: number;
  /** After this silence a host is down unless somebody says that it is alive. */
  readonly loneSilenceMs: number;
  /** Distinct accusers that are enough. */
  readonly accusers: number;
  /** Window of the brake. */
  readonly brakeMs: number;
}

export const defaultLivenessLimits: LivenessLimits = {
  silenceMs: 1_500,
  suspectSilenceMs: 3_500,
  loneSilenceMs: 10_000,
  accusers: 2,
  brakeMs: 10_000,
};

export interface ObservedHost {
  readonly id: string;
  /** Committed state. */
  readonly state: 'up' | 'down';
  readonly lastHeardAt: number;
  /** Hosts that this one's latest heartbeat called dead, or gone. */
  readonly accuses: readonly string[];
  /** Hosts that it called suspect. */
  readonly suspects?: readonly string[];
  /** Hosts that it called alive. */
  readonly vouchesFor: readonly string[];
}

export interface Observation {
  readonly now: number;
  /** Nothing is decided before: heartbeats must have had time to arrive. */
  readonly holdDownUntil: number;
  readonly hosts: readonly ObservedHost[];
  /** When hosts were cut off lately, one entry a host. */
  readonly cutsAt: readonly number[];
}

export interface Cut {
  readonly down: readonly { readonly host: string; readonly reason: string }[];
  /** Hosts that would be down as well, but for the brake. */
  readonly braked: readonly string[];
}

export function decideCut(seen: Observation, limits: LivenessLimits): Cut {
  if (seen.now < seen.holdDownUntil) return { down: [], braked: [] };
  const condemned = seen.hosts
    .filter((host) => host.state === 'up')
    .flatMap((host) => {
      const reason = reasonAgainst(host, seen, limits);
      return reason === undefined ? [] : [{ host, reason }];
    })
    .sort((a, b) => a.host.lastHeardAt - b.host.lastHeardAt || (a.host.id < b.host.id ? -1 : 1));
  const allowed = brakeAllows(seen, limits);
  return {
    down: condemned.slice(0, allowed).map(({ host, reason }) => ({ host: host.id, reason })),
    braked: condemned.slice(allowed).map(({ host }) => host.id),
  };
}

function reasonAgainst(
  host: ObservedHost,
  seen: Observation,
  limits: LivenessLimits,
): string | undefined {
  const silentMs = Math.floor(seen.now - host.lastHeardAt);
  if (silentMs < limits.silenceMs) return undefined;
  const judges = seen.hosts.filter(
    (other) =>
      other.id !== host.id &&
      other.state === 'up' &&
      seen.now - other.lastHeardAt < limits.silenceMs,
  );
  const accusers = judges.filter((judge) => judge.accuses.includes(host.id)).map(({ id }) => id);
  if (judges.length > 0 && accusers.length >= Math.min(limits.accusers, judges.length)) {
    return `silent for ${silentMs} ms, called dead by ${accusers.sort().join(', ')}`;
  }
  const vouching = judges.filter((judge) => judge.vouchesFor.includes(host.id)).length;
  const doubters = judges
    .filter(({ accuses, suspects }) => [...accuses, ...(suspects ?? [])].includes(host.id))
    .map(({ id }) => id);
  const areEnough = doubters.length >= Math.min(limits.accusers, judges.length);
  if (silentMs >= limits.suspectSilenceMs && doubters.length > vouching && areEnough) {
    return `silent for ${silentMs} ms, suspected by ${doubters.sort().join(', ')}`;
  }
  const isVouchedFor = vouching > 0;
  if (isVouchedFor || silentMs < limits.loneSilenceMs) return undefined;
  return `silent for ${silentMs} ms, called alive by nobody`;
}

/** Never more than half of all hosts within the window, but always one. */
function brakeAllows(seen: Observation, limits: LivenessLimits): number {
  const recent = seen.cutsAt.filter((at) => seen.now - at < limits.brakeMs).length;
  return Math.max(0, Math.max(1, Math.floor(seen.hosts.length / 2)) - recent);
}
