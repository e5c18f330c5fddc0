// Generated requests against a gateway, each answer judged by the gateway's own document.

export type { Finding } from './findings';
export { fuzzGateway, type FuzzOptions, type FuzzOutcome } from './fuzz-gateway';
export { prepare, type ReadyTarget, type Target } from './target';
export {
  verifyGateway,
  type GatewayReport,
  type Proof,
  type VerifyGatewayOptions,
} from './verify-gateway';
