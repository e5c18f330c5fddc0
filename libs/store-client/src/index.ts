// The public face: the store as a service sees it, in the cluster or in memory, and activation of actors by lease.

export * from './store';
export { createMemoryStore, replyOrThrow, type MemoryStore } from './memory-store';
export {
  Activation,
  defaultActivationTtlMs,
  type ActivationLoss,
  type ActivationOptions,
} from './activation';
export { StoreClient, type StoreClientOptions, type StoreMessenger } from './store-client';
