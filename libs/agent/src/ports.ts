// What an agent's decisions need of its host: a kernel that can be looked at and changed, and resolvers to keep in step.

import type { Share } from '@skein/contracts';
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

export interface Names {
  /** Before rows go: takes back what `share` no longer has. */
  withdraw(share: Share): void;
  /** Makes the networks known, without names, so that their resolvers can be opened while rows are written. */
  prepare(share: Share): void;
  /** After rows have come: gives all names of `share`. */
  announce(share: Share): void;
  /** Opens the resolver of a network whose namespace is there. Never rejects. */
  open(netns: string): Promise<void>;
  openAll(): Promise<void>;
  /** Lets go of a namespace that is about to be made again. */
  release(netns: string): void;
}
