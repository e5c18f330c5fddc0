// What an agent's decisions need of its host: a kernel that can be looked at and changed, and resolvers to keep in step.

import type { Share, ShareEndpoint } from '@skein/contracts';
import type { Change, Desired, Observed, ObservedSandbox } from '@skein/vxlan';

export interface KernelFault {
  readonly change: Change;
  readonly code: 'sandbox_not_found' | 'program_failed';
  readonly message: string;
}

export interface Kernel {
  /** Everything, with the sandboxes of endpoints that have no veth, and those named in `alsoSandboxes`. */
  observe(desired: Desired, alsoSandboxes?: Iterable<string>): Promise<Observed>;
  observeSandboxes(paths: Iterable<string>): Promise<Map<string, ObservedSandbox | 'missing'>>;
  /**
   * Carries out a plan, in its order. Answers what could not be done; everything else is done all the same. `onGround` is
   * called once a network's namespace, bridge and gateway addresses are there, while the rest goes on.
   */
  apply(
    changes: readonly Change[],
    options?: { readonly onGround?: (netns: string) => void },
  ): Promise<readonly KernelFault[]>;
}

export interface GuardRenewal {
  readonly netns: string;
  /** Ports of the bridge that may be heard; all others fall silent. */
  readonly ports: readonly string[];
  /** For how long, from when the kernel takes it. */
  readonly leftMs: number;
  /** And never after this time of day, to the second above: a renewal that was held up on its way extends nothing. */
  readonly endWallMs: number;
}

/** The kernel's timer of fenced networks. */
export interface Guard {
  /** As a whole or not at all; false if it could not be written. Never rejects. */
  renew(renewal: GuardRenewal): Promise<boolean>;
}

export interface Names {
  /** Before rows go: takes back what `share` no longer has. */
  withdraw(share: Share): void;
  /** Makes the networks known, without names, so that their resolvers can be opened while rows are written. */
  prepare(share: Share): void;
  /** After rows have come: gives all names of `share`. */
  announce(share: Share): void;
  /** The same for endpoints alone, as they were: hosts and networks stay as they are. */
  withdrawEndpoints(endpoints: readonly ShareEndpoint[]): void;
  announceEndpoints(endpoints: readonly ShareEndpoint[]): void;
  /** Opens the resolver of a network whose namespace is there. Never rejects. */
  open(netns: string): Promise<void>;
  openAll(): Promise<void>;
  /** Lets go of a namespace that is about to be made again. */
  release(netns: string): void;
}
