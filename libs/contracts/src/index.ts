// The public face: every conversation, event, record and error code of Skein.

export * from './contract';
export * from './error-codes';
export * from './error-help';
export * from './skein-error';
export * from './store-outcome';
export * from './names';
export { pageOf, type Page, type PageRequest } from './page';
export * from './precondition';
export * from './store';
export * from './store-batch';
export * from './backup';
export * from './consensus';
export * from './store-upkeep';
export * from './replica';
export * from './state';
export * from './idempotency';
export * from './ipam';
export * from './share';
export * from './host-agent';
export * from './reachability';
export * from './hosts';
export * from './registry';
export * from './services';
export * from './own-endpoints';
export * from './access';
export * from './joining';
export * from './events';
