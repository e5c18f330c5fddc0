// The parts of a replica and who may ask whom for what: wiring alone.

import type { Raft, RaftInput, RaftStatus, RestoredState } from '@skein/raft';
import type { Store, StoreReply, StoreRequest } from '@skein/store';
import { Members } from './members';
import { Office } from './office';
import { Proposals } from './proposals';
import { ReadRounds } from './read-rounds';
import type { ReplicaSettings } from './settings';
import { Snapshots } from './snapshots';
import { Standings } from './standings';
import { Transfers } from './transfers';
import type { Answer, MemberStanding, ReplicaFact, ReplicaPorts } from './types';
import { Whereabouts } from './whereabouts';

/** What the parts reach of the whole. */
export interface Whole {
  readonly settings: ReplicaSettings;
  readonly ports: ReplicaPorts;
  readonly raft: Raft;
  store(): Store;
  input(input: RaftInput): void;
  submit(request: StoreRequest, answer: Answer<StoreReply>): void;
  defer(): void;
  isReplaying(): boolean;
  ownStanding(): MemberStanding;
  said(fact: ReplicaFact): void;
}

export interface Parts {
  readonly proposals: Proposals;
  readonly reads: ReadRounds;
  readonly office: Office;
  readonly snapshots: Snapshots;
  readonly members: Members;
  readonly standings: Standings;
  readonly transfers: Transfers;
  readonly whereabouts: Whereabouts;
}

export function partsOf(whole: Whole, restored: RestoredState): Parts {
  const { settings, ports, raft, store } = whole;
  const nowMs = (): number => ports.clock.nowMs();
  const wallMs = (): number => ports.clock.wallMs();
  const status = () => raft.status();
  const said = (fact: ReplicaFact): void => whole.said(fact);
  const defer = (): void => whole.defer();
  const appliedIndex = (): number => store().appliedIndex;
  const own = (): MemberStanding => whole.ownStanding();
  const reads = new ReadRounds({
    ask: (context, leaseNowMs) => {
      const question = { kind: 'readIndex', context } as const;
      const isByLease = leaseNowMs !== undefined;
      whole.input(isByLease ? { ...question, lease: { nowMs: leaseNowMs } } : question);
    },
    appliedIndex,
    isReplaying: () => whole.isReplaying(),
    nowMs,
    defer,
  });
  const office = new Office(
    {
      store,
      nowMs,
      wallMs,
      submit: (request, answer) => whole.submit(request, answer),
      confirm: (answer) => reads.confirm(answer),
      said,
    },
    settings,
  );
  return {
    reads,
    office,
    proposals: new Proposals({
      propose: (proposals) => whole.input({ kind: 'propose', proposals }),
      wallMs,
      defer,
    }),
    snapshots: new Snapshots(
      {
        log: ports.log,
        appliedIndex,
        header: (index) => raft.snapshotHeader(index),
        source: () => store().beginSnapshot(),
        forget: (index) => whole.input({ kind: 'compact', index }),
        lateness: () => latenessOf(status()),
        said,
      },
      settings,
      restored.snapshot,
    ),
    members: new Members(
      {
        status,
        propose: (id, change) => whole.input({ kind: 'proposeConfiguration', id, change }),
        nowMs,
      },
      settings.promotesLearners,
    ),
    standings: new Standings({
      own,
      voters: () => status().configuration.incoming,
      protocolVersion: () => store().status.protocolVersion,
      hashPoints: () => store().hashPoints,
      agreeOnProtocol: (version, done) => office.agreeOnProtocol(version, done),
      raiseCorrupt: (replica, done) => office.raiseCorrupt(replica, done),
      said,
    }),
    transfers: new Transfers(settings.id, status),
    whereabouts: new Whereabouts(settings.id, {
      status,
      nowMs,
      tell: (to, notice) => ports.tell(to, notice),
      own,
      said,
    }),
  };
}

/** By the order of the voters' names, which all of them know. */
function latenessOf({ id, configuration: { incoming } }: RaftStatus): number {
  const at = incoming.filter((each) => each < id).length;
  return at / (incoming.length + 1);
}
