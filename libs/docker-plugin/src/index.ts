// The public face: Docker's network and address plugin as decisions, without sockets, files and engines.

export type { Action, AttachOrder, Attached, Declaration } from './actions';
export { Book, type Binding, type Hold } from './book';
export { Door, type Circumstances } from './door';
export { addressSpace, fixedReply } from './fixed-replies';
export type { FindNetwork, KnownNetwork } from './networks';
export { errorBody, isMethod, readCall, type Call, type Method, type ReadCall } from './protocol';
export {
  dnsLabel,
  endpointNames,
  type ContainerAttachment,
  type EndpointNames,
} from './container-names';
export {
  keptLabel,
  namedNetwork,
  planObjects,
  type EngineNetwork,
  type NetworkObject,
  type ObjectChange,
  type WantedNetwork,
} from './network-objects';
export { OrphanWatch, type Orphans, type Sighting } from './orphans';
