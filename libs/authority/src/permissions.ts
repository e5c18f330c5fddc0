// Who may say and hear what: one list a role, in subjects alone. It knows nothing of keys, tokens or servers; what a host may
// do is written once, for all hosts, with NATS' own placeholder for the host's id.

import { subjectPrefix } from '@skein/contracts';

/** `join` is whoever has no credential yet; `people` are operators with the NATS CLI. */
export const userNames = ['consensus', 'ipam', 'registry', 'gateway', 'people', 'join'] as const;
export type UserName = (typeof userNames)[number];

interface Subjects {
  readonly allow: readonly string[];
  readonly deny?: readonly string[];
}

export interface Permissions {
  /** Absent: anything. */
  readonly publish?: Subjects;
  readonly subscribe?: Subjects;
  /** May answer what it was asked, once, within this time in milliseconds. */
  readonly answerWithinMs?: number;
  /** Largest message that it may send, in bytes. */
  readonly maxPayloadBytes?: number;
  readonly maxSubscriptions?: number;
}

/** NATS puts the user's name, which is the host's id, in its place. */
const self = '{{name()}}';
const answerWithinMs = 60_000;
const anyInbox = '_INBOX.>';
const leaderEvent = `${subjectPrefix}.event.cluster.leader-changed`;

/** Where replies to this user arrive; nobody else may listen there. */
export const inboxPrefixOf = (user: UserName): string => `_INBOX.${user}`;
export const hostInboxPrefix = (hostId: string): string => `_INBOX.host.${hostId}`;

/**
 * NATS' services protocol: to be listed as one of these services. Written out, as a server takes a subscription to `$SRV.>` for
 * one that `$SRV.*` allows.
 */
const listedAs = (services: readonly string[], instance: string): string[] =>
  ['PING', 'INFO', 'STATS'].flatMap((verb) => [
    `$SRV.${verb}`,
    ...services.flatMap((service) => [
      `$SRV.${verb}.${service}`,
      `$SRV.${verb}.${service}.${instance}`,
    ]),
  ]);
const of = (service: string): string => `${subjectPrefix}.${service}.>`;

/** A client of the store: its requests, its watches, and word of a new leader. */
const storeClient = {
  publish: [`${subjectPrefix}.store.*`],
  subscribe: [`${subjectPrefix}.watch.*.*`, leaderEvent],
};

/**
 * Exactly its own: what is asked of it, what it asks as itself, its own inbox. No state of a network passes on any of these
 * subjects but the share that the registry sends to it.
 */
export const hostPermissions: Permissions = {
  publish: {
    allow: [
      `${subjectPrefix}.registry.${self}.*`,
      `${subjectPrefix}.event.kernel.repaired.${self}`,
    ],
  },
  subscribe: {
    allow: [
      `${subjectPrefix}.host-agent.${self}.*`,
      `${hostInboxPrefix(self)}.>`,
      ...listedAs(['host-agent'], self),
    ],
  },
  answerWithinMs,
};

export const userPermissions: Readonly<Record<UserName, Permissions>> = {
  // What it publishes is the busiest path of all and it holds the whole state anyway: only its hearing is narrowed.
  consensus: {
    subscribe: {
      allow: [
        'skein.raft.>',
        of('store'),
        of('consensus'),
        `${inboxPrefixOf('consensus')}.>`,
        ...listedAs(['store', 'consensus'], '*'),
      ],
    },
  },
  ipam: {
    publish: {
      allow: [
        ...storeClient.publish,
        of('ipam'),
        of('ipam-actor'),
        // The audit asks hosts what their kernels hold.
        `${subjectPrefix}.host-agent.*.status`,
        anyInbox,
      ],
    },
    subscribe: {
      allow: [
        of('ipam'),
        of('ipam-actor'),
        ...storeClient.subscribe,
        `${inboxPrefixOf('ipam')}.>`,
        ...listedAs(['ipam', 'ipam-actor'], '*'),
      ],
    },
  },
  registry: {
    publish: {
      allow: [...storeClient.publish, of('ipam'), of('host-agent'), of('event'), anyInbox],
    },
    subscribe: {
      allow: [
        of('registry'),
        ...storeClient.subscribe,
        `${inboxPrefixOf('registry')}.>`,
        ...listedAs(['registry'], '*'),
      ],
    },
  },
  gateway: {
    publish: {
      allow: [
        ...storeClient.publish,
        of('consensus'),
        of('ipam'),
        `${subjectPrefix}.registry.*`,
        of('host-agent'),
        anyInbox,
      ],
      // It asks hosts how they are; only the registry programs them.
      deny: [`${subjectPrefix}.host-agent.*.program`],
    },
    subscribe: {
      allow: [
        of('event'),
        ...storeClient.subscribe,
        `${inboxPrefixOf('gateway')}.>`,
        ...listedAs(['gateway'], '*'),
      ],
    },
  },
  people: {},
  // Its credential is no secret: with it one may knock, and hear the answer.
  join: {
    publish: {
      allow: [`${subjectPrefix}.registry.join`, `${subjectPrefix}.registry.renew-credential`],
    },
    subscribe: { allow: [`${inboxPrefixOf('join')}.>`] },
    maxPayloadBytes: 4_096,
    maxSubscriptions: 8,
  },
};
