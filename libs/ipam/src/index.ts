// The rules of address management: which subnets a network gets, which addresses an endpoint gets, and the transactions that
// make it so. Pure: the store, the clock and the messages are others' matter.

export {
  networkActorKind,
  transactionLimit,
  type AddressRecord,
  type Cause,
  type Exclusion,
  type Keyspace,
  type MacRecord,
  type NetworkRecord,
  type Outcome,
  type Plan,
  type Refusal,
  type RefusalCode,
  type SubnetRecord,
  type SubnetTable,
  type Transaction,
  type Versioned,
} from './records';
export { defaultPools, type Barrier, type SubnetPools, type SubnetSpec } from './subnet-plan';
export {
  firstVni,
  maxSubnets,
  planNetwork,
  planNetworkDeletion,
  planSubnetAddition,
  type NetworkWish,
} from './network-plan';
export { NetworkView, type NetworkContent } from './network-view';
export {
  allocateAll,
  familyNames,
  type Allocation,
  type AllocationContext,
  type AllocationRequest,
  type Evidence,
  type FamilyName,
} from './allocate';
export {
  Turn,
  type AddressCommand,
  type AddressReply,
  type Compared,
  type TurnContext,
} from './turn';
export {
  NetworkAllocator,
  type AllocatorEffect,
  type AllocatorInput,
  type AllocatorOptions,
  type Now,
  type SubmittedCommand,
} from './network-allocator';
export { countUsage, type SubnetUsage } from './usage';
export { barriersIn, maxExclusions, planExclusion, planInclusion } from './exclusions';
export { type HostRoute, type NetworkDirectory } from './directory';
export { beliefBuckets, beliefDigests, entriesOfBucket, type BeliefEntry } from './belief';
export { releaseAll, sweepRested } from './release';
