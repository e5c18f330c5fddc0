// The one registry of error codes: what each means to a caller, as HTTP status and CLI exit code. Nothing else in the
// repository knows either number. docs/errors.md explains every code; a test compares the two.

/** CLI exit codes by kind of error; 0 is success and 1 an unexpected fault. */
export const exitCodes = {
  internal: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  denied: 6,
  unknown: 7,
} as const;

interface ErrorCodeEntry {
  /** HTTP status of the gateway's problem+json answer. */
  readonly status: number;
  readonly exit: number;
  /** Whether the same request may be sent again unchanged with a hope of success. */
  readonly retryable: boolean;
  readonly title: string;
}

function entry(
  status: number,
  exit: keyof typeof exitCodes,
  title: string,
  retryable = false,
): ErrorCodeEntry {
  return { status, exit: exitCodes[exit], title, retryable };
}

export const errorCodes = {
  // Bad input, rejected at the edge.
  invalid_request: entry(400, 'usage', 'The request does not fit its schema'),
  malformed_json: entry(400, 'usage', 'The body is not JSON'),
  payload_too_large: entry(413, 'usage', 'The body is larger than the limit'),
  headers_too_large: entry(431, 'usage', 'The headers are larger than the limit'),
  request_timeout: entry(408, 'usage', 'The request did not come in time'),
  unsupported_media_type: entry(415, 'usage', 'The body is not application/json'),
  route_not_found: entry(404, 'usage', 'There is no such path'),
  method_not_allowed: entry(405, 'usage', 'The path does not take this method'),
  unauthenticated: entry(401, 'denied', 'The token is missing or wrong'),
  forbidden: entry(403, 'denied', 'The token does not allow this'),
  host_mismatch: entry(403, 'denied', 'The request speaks for another host'),
  // Joining.
  join_token_malformed: entry(400, 'usage', 'This is not a join token'),
  join_token_unknown: entry(403, 'denied', 'The join token is not known'),
  join_token_expired: entry(403, 'denied', 'The join token has expired'),
  join_token_used_up: entry(403, 'denied', 'The join token has been used up'),
  join_token_revoked: entry(403, 'denied', 'The join token was revoked'),
  join_token_for_other_host: entry(403, 'denied', 'The join token is for another host'),
  host_already_joined: entry(409, 'conflict', 'A host of this id has joined with another key'),
  host_not_joined: entry(403, 'denied', 'The host has no identity in this cluster'),
  joining_disabled: entry(409, 'conflict', 'This cluster has no key to sign hosts with'),
  // Not there.
  network_not_found: entry(404, 'notFound', 'There is no such network'),
  host_not_found: entry(404, 'notFound', 'There is no such host'),
  endpoint_not_found: entry(404, 'notFound', 'There is no such endpoint'),
  endpoint_gone: entry(410, 'notFound', 'What was attached under this key is there no more'),
  service_not_found: entry(404, 'notFound', 'There is no such service'),
  address_not_found: entry(404, 'notFound', 'Nobody holds or held the address'),
  lease_not_found: entry(404, 'notFound', 'There is no such lease'),
  key_not_found: entry(404, 'notFound', 'There is no such key'),
  token_not_found: entry(404, 'notFound', 'There is no such token'),
  member_not_found: entry(404, 'notFound', 'There is no such member'),
  agent_not_installed: entry(404, 'notFound', 'No agent was installed on this machine'),
  backup_not_found: entry(404, 'notFound', 'The replica no longer holds this backup'),
  // Refused by the state.
  network_name_taken: entry(409, 'conflict', 'A network has this name already'),
  network_not_attachable: entry(409, 'conflict', 'The network takes no endpoints of engines'),
  host_not_enrolled: entry(409, 'conflict', 'The network is not for this host'),
  network_differs: entry(409, 'conflict', 'A network of this name has other subnets'),
  network_in_use: entry(409, 'conflict', 'The network still has endpoints'),
  endpoint_name_taken: entry(409, 'conflict', 'An endpoint of the network has this name already'),
  service_exists: entry(409, 'conflict', 'The service is declared already'),
  service_in_use: entry(409, 'conflict', 'The service still has backends'),
  address_taken: entry(409, 'conflict', 'The address has a holder'),
  address_reserved: entry(409, 'conflict', 'The address is reserved'),
  address_outside_subnet: entry(422, 'usage', 'The address is in none of the subnets'),
  mac_taken: entry(409, 'conflict', 'The MAC address has a holder'),
  vni_taken: entry(409, 'conflict', 'A network has this VNI already'),
  subnet_malformed: entry(400, 'usage', 'The subnet is not a valid CIDR'),
  subnet_overlap: entry(409, 'conflict', 'The subnet overlaps another one'),
  subnet_excluded: entry(409, 'conflict', 'The subnet overlaps one that is excluded'),
  subnet_routed: entry(409, 'conflict', 'The subnet overlaps a route of a host'),
  endpoint_attached: entry(409, 'conflict', 'The endpoint that holds the addresses is attached'),
  exclusion_not_found: entry(404, 'notFound', 'This prefix is not excluded'),
  pool_exhausted: entry(409, 'conflict', 'The pool has no free address'),
  subnets_exhausted: entry(409, 'conflict', 'The default pools have no free subnet'),
  tokens_exhausted: entry(409, 'conflict', 'There are as many tokens as are kept'),
  host_not_up: entry(409, 'conflict', 'The host is not up'),
  host_in_use: entry(409, 'conflict', 'The host still holds endpoints'),
  host_draining: entry(409, 'conflict', 'The host is drained'),
  host_removed: entry(409, 'conflict', 'The host was removed'),
  boot_replaced: entry(409, 'conflict', 'A later boot of this host has taken over'),
  host_held_back: entry(409, 'conflict', 'The host came and went too often', true),
  host_conflict: entry(409, 'conflict', 'Another host uses this name or address'),
  sandbox_not_found: entry(422, 'usage', 'The network namespace does not exist on the host'),
  program_failed: entry(502, 'unavailable', 'The host could not program its kernel', true),
  lease_exists: entry(409, 'conflict', 'A lease has this name already'),
  precondition_failed: entry(412, 'conflict', 'The resource has another revision'),
  idempotency_key_reused: entry(422, 'usage', 'The idempotency key was used for another request'),
  fenced: entry(409, 'conflict', 'A newer activation has taken over', true),
  // The consensus group.
  change_in_progress: entry(409, 'conflict', 'Another change of the members is under way', true),
  configuration_changed: entry(409, 'conflict', 'The members have changed meanwhile'),
  term_not_opened: entry(503, 'unavailable', 'The leader has just been elected', true),
  invalid_configuration: entry(422, 'usage', 'The cluster cannot have these members'),
  learner_behind: entry(409, 'conflict', 'The learner is not near enough to the leader', true),
  recovering: entry(409, 'conflict', 'The replica still makes good what its log has lost', true),
  already_leader: entry(409, 'conflict', 'The member leads already'),
  no_successor: entry(409, 'conflict', 'No other member can lead'),
  quorum_present: entry(409, 'conflict', 'A leader is heard: nothing is to be recovered'),
  preview_outdated: entry(409, 'conflict', 'The replica has moved since the preview'),
  locked: entry(503, 'unavailable', 'The replica waits for its key'),
  wrong_key: entry(403, 'denied', 'The key does not open the log'),
  not_encrypted: entry(409, 'conflict', 'The log is not encrypted'),
  version_unsupported: entry(409, 'conflict', 'Not all members understand this yet'),
  backup_damaged: entry(422, 'usage', 'The backup is not whole'),
  file_differs: entry(409, 'conflict', 'A file is there that nobody installed'),
  replica_running: entry(409, 'conflict', 'A replica runs on this data'),
  // The store.
  no_space: entry(507, 'conflict', 'The store has used up its quota'),
  store_corrupt: entry(503, 'conflict', 'Replicas of the store differ'),
  too_stale: entry(503, 'unavailable', 'The replica is further behind than was allowed', true),
  revision_compacted: entry(410, 'notFound', 'The revision has been compacted'),
  revision_future: entry(400, 'usage', 'The revision does not exist yet'),
  key_invalid: entry(400, 'usage', 'The key is empty or too long'),
  request_superseded: entry(409, 'conflict', 'The client has sent a later request already'),
  not_leader: entry(503, 'unavailable', 'This replica does not lead', true),
  no_leader: entry(503, 'unavailable', 'There is no leader at the moment', true),
  // Failures.
  overloaded: entry(429, 'unavailable', 'Too many requests are waiting', true),
  unavailable: entry(503, 'unavailable', 'The service does not answer', true),
  deadline_exceeded: entry(504, 'unavailable', 'The answer did not come in time', true),
  unknown_outcome: entry(504, 'unknown', 'It is not known whether the request took effect'),
  internal: entry(500, 'internal', 'Something went wrong inside'),
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
