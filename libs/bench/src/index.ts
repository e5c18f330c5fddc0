// The public face: measures the store against a peer, side by side in a private world.

export type { BenchReport, BenchSettings } from './bench-store';
export type { FigureRow } from './figure';
export type { Spread } from './spread';
export { groups, planOf, type BenchPlan, type Group } from './plan';
export { runInWorld, worldCommand } from './world';
export { runWorld } from './world-main';
export {
  addressGroups,
  benchAddresses,
  type CostRow,
  type StackReport,
} from './addresses/bench-addresses';
export {
  benchMembership,
  type MembershipOptions,
  type MembershipReport,
} from './membership/bench-membership';
export { benchResync } from './resync/bench-resync';
export {
  benchDataplane,
  dataplaneGroups,
  type DataplaneOptions,
  type DataplaneReport,
  tcpPairs,
} from './dataplane/bench-dataplane';
export {
  benchDocker,
  type DockerBenchOptions,
  dockerGroups,
  type DockerReport,
} from './docker/bench-docker';
export type { LimitRow } from './limit-rows';
