// What a member is and the limits of what it may say about itself. Knows nothing of how opinions travel or are judged.

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left';

/** What a member tells about itself besides its address; it travels in every `alive`. */
export interface MemberMeta {
  /** Tells one run of a host from the next: the kernel's boot id, or the process's own. */
  readonly bootId: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A member as it describes itself when it starts. */
export interface MemberSelf {
  readonly name: string;
  /** `ip:port`, where both its datagrams and its streams arrive. */
  readonly address: string;
  readonly meta: MemberMeta;
  /** First incarnation; what others remember of an earlier run is overtaken by refuting it. Default 1. */
  readonly incarnation?: number;
}

export interface Member {
  readonly name: string;
  readonly address: string;
  readonly incarnation: number;
  readonly state: MemberState;
  readonly meta: MemberMeta;
}

/** Limits in bytes of UTF-8; the decoder refuses what exceeds them. */
export const memberLimits = {
  nameBytes: 128,
  addressBytes: 64,
  /** Address, boot id and tags together, encoded (memberlist's limit of node metadata). */
  metaBytes: 512,
  tags: 64,
} as const;

/** True of members that are probed and counted: suspicion is a doubt, not a verdict. */
export function isLive({ state }: Pick<Member, 'state'>): boolean {
  return state === 'alive' || state === 'suspect';
}

export function sameMeta(left: MemberMeta, right: MemberMeta): boolean {
  const leftTags = Object.entries(left.tags);
  return (
    left.bootId === right.bootId &&
    leftTags.length === Object.keys(right.tags).length &&
    leftTags.every(([tag, value]) => right.tags[tag] === value)
  );
}
