// The public face of the replicated key-value store.

export * from './types';
export { Store, createStore, type StoreStatus } from './store';
export { encodeCommand, encodeCommandOf, decodeCommand, commandVersion } from './command';
export { spanOf, spanHolds, prefixEnd, type Span } from './span';
export { requestFault, spanFault } from './request-check';
export { LeaseDeadlines } from './lease-deadlines';
export { type EventsQuery, type EventsSlice } from './history';
export { maxClients, maxAnswersPerClient } from './sessions';
