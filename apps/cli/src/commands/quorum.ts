// How far a cluster is from losing its quorum, from what its leader says of the members. Pure.

export interface QuorumMember {
  readonly id: string;
  readonly role: string;
  readonly healthy: boolean;
  readonly isLearner?: boolean;
  readonly isRecovering?: boolean;
  readonly isLocked?: boolean;
}

export interface QuorumConfiguration {
  readonly voters: readonly string[];
  readonly outgoing: readonly string[];
}

export interface Margin {
  readonly voters: number;
  readonly needed: number;
  readonly alive: number;
  /** How many more may fail; below 0: so many are missing already. */
  readonly spare: number;
}

/** While one set of voters replaces another, both need a majority: the one with less to spare counts. */
export function quorumMargin(
  members: readonly QuorumMember[],
  configuration: QuorumConfiguration | undefined,
): Margin {
  const known =
    configuration?.voters ?? members.filter((each) => !isLearner(each)).map(({ id }) => id);
  const sets = [known, configuration?.outgoing ?? []].filter((set) => set.length > 0);
  const alive = new Set(members.filter(counts).map(({ id }) => id));
  const margins = sets.map((set) => marginOf(set, alive));
  return margins.reduce((least, each) => (each.spare < least.spare ? each : least), {
    voters: 0,
    needed: 0,
    alive: 0,
    spare: Infinity,
  });
}

export function marginText({ voters, needed, alive, spare }: Margin): string {
  const state = `${alive} of ${voters} voters alive, ${needed} needed`;
  if (voters === 0) return 'no voters';
  if (spare < 0) return `${state}: quorum lost`;
  return `${state}: can lose ${spare === 0 ? 'none' : `${spare} more`}`;
}

function marginOf(voters: readonly string[], alive: ReadonlySet<string>): Margin {
  const needed = Math.floor(voters.length / 2) + 1;
  const living = voters.filter((id) => alive.has(id)).length;
  return { voters: voters.length, needed, alive: living, spare: living - needed };
}

function isLearner(member: QuorumMember): boolean {
  return member.isLearner ?? member.role === 'learner';
}

/** A replica whose log is not whole, or not open, votes for nothing. */
function counts(member: QuorumMember): boolean {
  const isOut = member.isRecovering === true || member.isLocked === true;
  return member.healthy && member.role !== 'unreachable' && !isOut;
}
