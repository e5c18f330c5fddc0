// The public face: what the registry decides, with store, agents, ipam and time behind ports.

export { agentPrograms, fenced, ipamAddresses } from './conversations';
export { domainOf, startDomain, type Domain, type DomainParts } from './domain';
export { AttachGroup } from './endpoints/attach-group';
export { Attachments } from './endpoints/attachments';
export { OwnEndpoints } from './endpoints/own-endpoints';
export { Explainer } from './explain/explainer';
export type { Program, ProgramReply, ProgramRequest } from './feeds/host-feed';
export { Enrolments } from './hosts/enrolments';
export { HostRegistry, type Admit } from './hosts/host-registry';
export { defaultHostLeaseMs, fenceMarginMs } from './hosts/host-lease';
export { HostRemoval } from './hosts/host-removal';
export { JoinDesk, type HostSigner, type StandingToken } from './joining/join-desk';
export { Office, type OfficeOptions } from './office';
export type { AddressBook, Chance, Fence } from './ports';
export { ServiceDesk } from './services/service-desk';
export { CommittedView } from './state/committed-view';
export { changeOf } from './state/entries';
export { FreshView } from './state/fresh-view';
export { endOf, StoreFollower, type Following } from './state/store-follower';
export { Queries } from './views/queries';
export { ReachabilityMatrix } from './views/reachability-matrix';
export { TrafficDesk } from './views/traffic-desk';
