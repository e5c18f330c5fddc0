// The public face of the replicated key-value store.

export * from './types';
export { Store, createStore, type StoreLoader, type StoreOptions, type StoreStatus } from './store';
export { type HashPoint } from './state';
export { type SnapshotSource } from './snapshot-source';
export { type RestoreOptions } from './snapshot-loader';
export { StoreSnapshotError } from './snapshot-format';
export { newestProtocol, protocolOf } from './protocol';
export { maxReplyBytes } from './reply-size';
export { encodeCommand, encodeCommandOf, decodeCommand, commandVersion } from './command';
export { spanOf, spanHolds, prefixEnd, type Span } from './span';
export { maxDepth, maxOperations, requestFault, spanFault } from './request-check';
export { LeaseDeadlines } from './lease-deadlines';
export { type EventFilter, type EventsQuery, type EventsSlice } from './history';
export { maxAnswerCharacters, maxAnswersPerClient, maxClients } from './sessions';
