// The protocol's arithmetic, by the published formulas (memberlist util.go and suspicion.go; Lifeguard). No state.

/** The indirect leg lasts this part of the probe timeout, so that a nack is back before the probe's deadline. */
export const indirectTimeoutRatio = 0.8;

/** Shortest suspicion: α · max(1, log10 N) · probe interval, in milliseconds. */
export function minSuspicionMs(terms: {
  multiplier: number;
  memberCount: number;
  probeIntervalMs: number;
}): number {
  const scale = Math.max(1, Math.log10(Math.max(1, terms.memberCount)));
  return terms.multiplier * scale * terms.probeIntervalMs;
}

/** K confirmations are wanted only where so many others exist besides the first accuser and the accused. */
export function wantedConfirmations(wanted: number, memberCount: number): number {
  return memberCount - 2 < wanted ? 0 : wanted;
}

/** max(min, max − (max−min) · ln(C+1) / ln(K+1)); the shortest at once if none are wanted. */
export function suspicionTimeoutMs(terms: {
  minMs: number;
  maxMs: number;
  confirmations: number;
  wanted: number;
}): number {
  if (terms.wanted < 1) return terms.minMs;
  const share = Math.log(terms.confirmations + 1) / Math.log(terms.wanted + 1);
  return Math.max(terms.minMs, terms.maxMs - (terms.maxMs - terms.minMs) * share);
}

/** λ · ⌈log10(N+1)⌉ sends of one opinion. */
export function retransmitLimit(multiplier: number, memberCount: number): number {
  return multiplier * Math.ceil(Math.log10(memberCount + 1));
}

/** The base up to 32 members, then base · (⌈log2 N − 5⌉ + 1). */
export function pushPullPeriodMs(baseMs: number, memberCount: number): number {
  if (memberCount <= 32) return baseMs;
  return baseMs * (Math.ceil(Math.log2(memberCount) - 5) + 1);
}
