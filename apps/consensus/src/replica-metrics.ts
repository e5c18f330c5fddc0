// What Prometheus reads of a replica: what it says of itself anyway, as numbers.

import type { ClusterStatus } from '@skein/contracts';
import type { Meter } from '@skein/metrics';

export function measureReplica(meter: Meter, status: () => ClusterStatus): void {
  meter.gauge('raftTerm', () => status().term);
  meter.gauge('raftIsLeader', () => Number(status().role === 'leader'));
  meter.gauge('raftHasLeader', () => Number(status().leaderId !== null));
  meter.gauge('raftLastIndex', () => status().lastIndex);
  meter.gauge('raftCommitIndex', () => status().commitIndex);
  meter.gauge('raftAppliedIndex', () => status().appliedIndex);
  const asLeader = (read: (status: ClusterStatus) => [string, number][]) => () => {
    const now = status();
    if (now.role !== 'leader') return [];
    return read(now).map(([member, value]) => [{ member }, value] as const);
  };
  meter.gauge(
    'raftMemberLag',
    asLeader(({ members }) => members.map(({ id, lag }) => [id, lag])),
  );
  meter.gauge(
    'raftMemberHealthy',
    asLeader(({ members }) => members.map(({ id, healthy }) => [id, Number(healthy)])),
  );
  meter.gauge('diskLatency', () => (status().diskLatencyMs ?? 0) / 1_000);
  meter.gauge('storeRevision', () => status().revision);
  meter.gauge('storeKeys', () => status().keys ?? 0);
  meter.gauge('storeBytes', () => status().bytes ?? 0);
  meter.gauge('storeQuotaBytes', () => status().quotaBytes ?? 0);
  meter.gauge('storeAlarms', () => status().alarms?.length ?? 0);
}
