// The public face: typed conversations over NATS.

export type { ConnectionStatus } from './connection';
export { parseCredentials, type NatsCredentials } from './credentials';
export { Deadline } from './deadline';
export { silentLogger, type Logger } from './logger';
export { Messenger, type BytesHandler, type EventHandler } from './messenger';
export type { ConversationObserver } from './observer';
export { onBehalfOf, type OnBehalfOf } from './on-behalf-of';
export type { RequestContext } from './request-context';
export type { RequestOptions } from './requester';
export { ServiceEndpoints, type ServeOptions } from './service-endpoints';
export type { ServiceDefinition } from './service-protocol';
export type { Handler, Serving } from './serving';
export { defaultConnectTimeoutMs, type NatsSettings } from './settings';
export type { Subscription } from './subscription';
export {
  outcomeOf,
  until,
  within,
  type Part,
  type PartFacts,
  type PartKind,
  type PartOutcome,
  type PartStart,
  type Tracing,
} from './tracing';
export { parseBody } from './validation';
export { requestIdHeader, timeoutHeader } from './wire';
