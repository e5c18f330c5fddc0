// Overlay networks in the kernel, as a pure comparison of what should be with what is.

export { isVethName, gatewayMac, sourceName, vethName } from './names';
export {
  bridgeName,
  desiredOf,
  everybody,
  vxlanName,
  type Desired,
  type DesiredEndpoint,
  type DesiredNetwork,
  type ForwardingRow,
  type OverlaySettings,
  type OverlayShare,
} from './desired';
export {
  settled,
  type Observed,
  type ObservedFilter,
  type ObservedInterface,
  type ObservedNetwork,
  type ObservedPort,
  type ObservedRow,
  type ObservedSandbox,
  type ObservedVeth,
  type ObservedVxlan,
} from './observed';
export { isPluggedRow, rowText } from './row-text';
export { probeDevice, probeOf, probePort, probePrefix, type Probe } from './probe';
export { trustingFilters } from './plan-filter';
export { isSameSource, sourceOf, type Source } from './sources';
export { memberOf, memberParts, type Member, type ObservedUnderlay } from './members';
export { guardedNetworks, type GuardedNetwork } from './guard';
export { keyOf, plugKeyOf, rankOf, type Change, type ChangeKind } from './change';
export { changeRows, type EndpointChange } from './change-rows';
export { plan } from './plan';
export { sandboxesToInspect, withoutSandbox } from './plan-sandbox';
export { repairsOf, type Repair } from './repairs';
