// What a member knows of its own damage: that it must be made whole before it votes or counts, and the number of this attempt. It
// must not know how it is made whole.

/** Why this member neither votes nor counts: its log was damaged. */
export interface OwnRecovery {
  /** Drawn anew in each run, so that what ends an earlier recovery does not end this one. */
  readonly token: number;
  readonly isVoteLost: boolean;
}

const RECOVERY_TOKENS = 2 ** 52;

/** `random` draws from [0, 1). */
export function beginRecovery(random: () => number, isVoteLost: boolean): OwnRecovery {
  return { token: 1 + Math.floor(random() * RECOVERY_TOKENS), isVoteLost };
}
