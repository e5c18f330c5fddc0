// Facts, published once they are committed. Each body carries the revision at which it became true.

import { z } from 'zod';
import { defineEvent, subjectPrefix, type EventContract } from './contract';
import { idSchema, revisionSchema, timeSchema } from './names';

const committed = { revision: revisionSchema, at: timeSchema };

export const leaderChangedEvent = defineEvent({
  noun: 'cluster',
  verb: 'leader-changed',
  body: z.object({
    ...committed,
    clusterId: idSchema,
    leaderId: idSchema.nullable(),
    term: z.int(),
    /** The replica that says so. */
    replicaId: idSchema,
  }),
});

/** A replica whose log was damaged holds everything again. */
export const replicaRepairedEvent = defineEvent({
  noun: 'replica',
  verb: 'repaired',
  body: z.object({
    ...committed,
    clusterId: idSchema,
    replicaId: idSchema,
    appliedIndex: z.int(),
    /** What had been found wrong, and the first log entry that was not provably whole; absent: not known any more. */
    reason: z.string().optional(),
    lostFrom: z.int().optional(),
  }),
});

const networkBody = z.object({ ...committed, networkId: idSchema, name: z.string() });
export const networkCreatedEvent = defineEvent({
  noun: 'network',
  verb: 'created',
  body: networkBody,
});
export const networkDeletedEvent = defineEvent({
  noun: 'network',
  verb: 'deleted',
  body: networkBody,
});

const endpointBody = z.object({
  ...committed,
  networkId: idSchema,
  endpointId: idSchema,
  name: z.string(),
  host: idSchema,
  addresses: z.array(z.string()),
});
export const endpointAttachedEvent = defineEvent({
  noun: 'endpoint',
  verb: 'attached',
  body: endpointBody,
});
export const endpointDetachedEvent = defineEvent({
  noun: 'endpoint',
  verb: 'detached',
  body: endpointBody,
});

const hostBody = z.object({ ...committed, hostId: idSchema, reason: z.string().optional() });
export const hostUpEvent = defineEvent({ noun: 'host', verb: 'up', body: hostBody });
export const hostDownEvent = defineEvent({ noun: 'host', verb: 'down', body: hostBody });
export const hostRemovedEvent = defineEvent({ noun: 'host', verb: 'removed', body: hostBody });

/** Not committed anywhere: an agent tells that its kernel had drifted and was put right. */
export const kernelRepairedEvent = defineEvent({
  noun: 'kernel',
  verb: 'repaired',
  speaker: 'hostId',
  body: z.object({
    at: timeSchema,
    hostId: idSchema,
    networkId: idSchema,
    kind: z.string(),
    reason: z.string(),
  }),
});

const historyNouns = ['network', 'endpoint', 'host', 'history'];

/** Whether the readable history has events of this type; others pass and are not kept. */
export function isInHistory(type: string): boolean {
  return historyNouns.includes(type.split('.')[0] ?? '');
}

const spoken: readonly EventContract[] = [kernelRepairedEvent];

/**
 * The type of an event, as in `host.down`, by the subject that it was heard on; undefined for one whose body speaks for
 * another than its subject.
 */
export function eventTypeOf(subject: string, body: unknown): string | undefined {
  const [noun, verb] = subject.slice(`${subjectPrefix}.event.`.length).split('.');
  const contract = spoken.find((each) => each.noun === noun && each.verb === verb);
  if (contract !== undefined) {
    const parsed = contract.body.safeParse(body);
    if (!parsed.success || contract.subjectOf(parsed.data) !== subject) return undefined;
  }
  return `${noun}.${verb}`;
}
