// What resolvers know and say: zones of networks, and DNS messages in and out. The sockets are the agent's.

export {
  largestQuestionBytes,
  readMessage,
  replyTo,
  type Question,
  type Reply,
} from './dns-message';
export { nameserversOf } from './nameservers';
export {
  maxResolverRoutes,
  resolverAddress,
  resolverPrefix,
  resolverRoute,
} from './resolver-address';
export { lookUp, type View, type ViewAnswer } from './view';
export { Zone, type NamedEndpoint, type NamedNetwork } from './zone';
