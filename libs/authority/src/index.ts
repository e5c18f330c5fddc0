// The public face: who may say and hear what on NATS, and the signed statements of it.

export { createAuthorityKeys, createHostKey, publicKeyOf, type AuthorityKeys } from './keys';
export {
  hostInboxPrefix,
  hostPermissions,
  inboxPrefixOf,
  userNames,
  userPermissions,
  type Permissions,
  type UserName,
} from './permissions';
export {
  hostSigningOf,
  serverConfiguration,
  signHost,
  userCredentials,
  type HostSigning,
} from './sign';
