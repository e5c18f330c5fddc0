// Every metric of Skein: name, kind, labels, which services have it, and what it says. docs/metrics.md shows the same list to people;
// a test compares the two.

export type ServiceName = 'consensus' | 'ipam' | 'registry' | 'gateway' | 'host-agent';

export interface MetricEntry {
  readonly name: string;
  readonly type: 'histogram' | 'gauge';
  readonly labels: readonly string[];
  readonly services: readonly ServiceName[];
  readonly help: string;
}

const every: readonly ServiceName[] = ['consensus', 'ipam', 'registry', 'gateway', 'host-agent'];

export function isServiceName(text: string): text is ServiceName {
  return every.some((each) => each === text);
}

function histogram(
  name: string,
  services: readonly ServiceName[],
  labels: readonly string[],
  help: string,
): MetricEntry {
  return { name, type: 'histogram', labels, services, help };
}

function gauge(
  name: string,
  services: readonly ServiceName[],
  labels: readonly string[],
  help: string,
): MetricEntry {
  return { name, type: 'gauge', labels, services, help };
}

export const catalog = {
  natsConnected: gauge('skein_nats_connected', every, [], '1 while NATS is connected.'),
  answerDuration: histogram(
    'skein_answer_duration_seconds',
    every,
    ['contract', 'code'],
    'Time from the arrival of a request over NATS to its answer; `code` is `ok` or the error’s.',
  ),
  askDuration: histogram(
    'skein_ask_duration_seconds',
    every,
    ['contract', 'code'],
    'Time from sending a request over NATS to its answer, as the asker sees it.',
  ),
  httpRequestDuration: histogram(
    'skein_http_request_duration_seconds',
    ['gateway'],
    ['method', 'route', 'status'],
    'Time from the first byte of a request to the last of its answer.',
  ),
  attachDuration: histogram(
    'skein_attach_duration_seconds',
    ['gateway'],
    ['code'],
    'Time from the request of an attach to its answer: until every live host of the network has programmed it.',
  ),
  eventReaders: gauge('skein_event_readers', ['gateway'], [], 'Open event streams.'),
  commitDuration: histogram(
    'skein_commit_duration_seconds',
    ['consensus'],
    ['code'],
    'Time from the arrival of a message with writes at the leader until they are on a majority’s disks and applied.',
  ),
  raftTerm: gauge('skein_raft_term', ['consensus'], [], 'Term that the replica is in.'),
  raftIsLeader: gauge('skein_raft_is_leader', ['consensus'], [], '1 while the replica leads.'),
  raftHasLeader: gauge(
    'skein_raft_has_leader',
    ['consensus'],
    [],
    '1 while the replica knows of a leader.',
  ),
  raftLastIndex: gauge('skein_raft_last_index', ['consensus'], [], 'Last entry of the log.'),
  raftCommitIndex: gauge(
    'skein_raft_commit_index',
    ['consensus'],
    [],
    'Last entry that is known to be committed.',
  ),
  raftAppliedIndex: gauge(
    'skein_raft_applied_index',
    ['consensus'],
    [],
    'Last entry that the state has.',
  ),
  raftMemberLag: gauge(
    'skein_raft_member_lag',
    ['consensus'],
    ['member'],
    'Entries that a member is behind the leader’s last one; told by the leader.',
  ),
  raftMemberHealthy: gauge(
    'skein_raft_member_healthy',
    ['consensus'],
    ['member'],
    '1 for a member that the leader hears and that holds what it has promised.',
  ),
  diskLatency: gauge(
    'skein_disk_latency_seconds',
    ['consensus'],
    [],
    'Recent time of a write to the log until it was durable.',
  ),
  storeRevision: gauge('skein_store_revision', ['consensus'], [], 'Revision of the store.'),
  storeKeys: gauge('skein_store_keys', ['consensus'], [], 'Keys that the store holds.'),
  storeBytes: gauge('skein_store_bytes', ['consensus'], [], 'Logical size of the store.'),
  storeQuotaBytes: gauge(
    'skein_store_quota_bytes',
    ['consensus'],
    [],
    'How large the store may grow; 0: without limit.',
  ),
  storeAlarms: gauge('skein_store_alarms', ['consensus'], [], 'Alarms that are raised.'),
  inOffice: gauge(
    'skein_registry_in_office',
    ['registry'],
    [],
    '1 for the replica that is on duty.',
  ),
  pushDuration: histogram(
    'skein_push_duration_seconds',
    ['registry'],
    ['code'],
    'Time from sending a host its share, or what changed of it, until it has acknowledged that it programmed it.',
  ),
  hosts: gauge('skein_hosts', ['registry'], ['state'], 'Hosts by committed state: up, down.'),
  networks: gauge('skein_networks', ['registry'], [], 'Networks.'),
  endpoints: gauge('skein_endpoints', ['registry'], [], 'Endpoints of all networks.'),
  programDuration: histogram(
    'skein_program_duration_seconds',
    ['host-agent'],
    ['code'],
    'Time from the arrival of a share, or of what changed of it, until the kernel has it.',
  ),
  programmedRevision: gauge(
    'skein_programmed_revision',
    ['host-agent'],
    [],
    'Revision of the store that the host has programmed.',
  ),
  repairs: gauge(
    'skein_repairs',
    ['host-agent'],
    ['kind'],
    'Changes since the start that were made because the kernel had drifted.',
  ),
  spoofed: gauge(
    'skein_spoofed_frames',
    ['host-agent'],
    ['network'],
    'Frames of endpoints here that were kept out since the filter was made: their source was not the endpoint’s.',
  ),
  strangers: gauge(
    'skein_stranger_frames',
    ['host-agent'],
    [],
    'Tunnelled frames that were kept out since the filter was made: their sender is no member of the network.',
  ),
  members: gauge(
    'skein_gossip_members',
    ['host-agent'],
    ['state'],
    'What gossip thinks of the hosts: alive, suspect, dead, left.',
  ),
} as const satisfies Record<string, MetricEntry>;

export type Metric = keyof typeof catalog;

/** In seconds: from what an answer from memory takes to what an election does. */
export const durationBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
