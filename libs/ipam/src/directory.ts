// What creating, growing and deleting networks is decided on: all that is in use cluster-wide, as read at one revision.

import { type Cidr } from '@skein/ip';
import { type SubnetTable, type Versioned } from './records';

/** A prefix that a host routes itself, as its agent reported. */
export interface HostRoute {
  readonly cidr: Cidr;
  /** Name of the host. */
  readonly host: string;
}

export interface NetworkDirectory {
  /** modRevision 0: no network was ever made. */
  readonly table: Versioned<SubnetTable>;
  readonly vnis: ReadonlySet<number>;
  readonly routes?: readonly HostRoute[] | undefined;
  /** Name of a network by its id, for messages; an id stands for itself where it is missing. */
  nameOf(networkId: string): string;
}
