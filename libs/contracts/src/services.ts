// Conversations with `registry` about services: a name on a network that stands for every endpoint which was attached with it.
// A service needs no record of its own; one that is declared is listed, and watched over, before its first backend comes.

import { z } from 'zod';
import { defineContract } from './contract';
import { cidrSchema, idSchema, nameSchema, referenceSchema, revisionSchema } from './names';
import { page, pageReply } from './page';
import { ifRevisionsSchema } from './precondition';
import { serviceRecordSchema } from './state';

const service = 'registry';

export const backendSchema = z.object({
  endpointId: idSchema,
  name: nameSchema,
  host: idSchema,
  addresses: z.array(cidrSchema),
  /** Names resolve to `live` ones only; a backend is `suspended` while its host is down. */
  state: z.enum(['live', 'suspended']),
});
export type Backend = z.output<typeof backendSchema>;

export const maxListedBackends = 1_000;

export const serviceViewSchema = z.object({
  network: nameSchema,
  networkId: idSchema,
  name: nameSchema,
  /** By whom and when it was declared; absent: it is there because of its backends. */
  declared: serviceRecordSchema.shape.created.optional(),
  labels: serviceRecordSchema.shape.labels.optional(),
  live: z.int(),
  suspended: z.int(),
  /** By name, at most `maxListedBackends`; the counts are of all. */
  backends: z.array(backendSchema),
  /** The latest that its record or a backend's was written at. */
  revision: revisionSchema,
});
export type ServiceView = z.output<typeof serviceViewSchema>;

const one = { network: referenceSchema, service: nameSchema };

export const listServicesContract = defineContract({
  service,
  verb: 'list-services',
  description: 'Lists the services of a network, with their backends.',
  request: z.strictObject({ network: referenceSchema, ...page }),
  reply: z.object({ services: z.array(serviceViewSchema), ...pageReply }),
  idempotent: true,
});
export const getServiceContract = defineContract({
  service,
  verb: 'get-service',
  description: 'One service, with its backends.',
  request: z.strictObject(one),
  reply: serviceViewSchema,
  idempotent: true,
});
export const declareServiceContract = defineContract({
  service,
  verb: 'declare-service',
  description: 'Declares a service, so that it is listed whether or not it has backends.',
  request: z.strictObject({
    network: referenceSchema,
    name: nameSchema,
    labels: serviceRecordSchema.shape.labels,
  }),
  reply: serviceViewSchema,
  idempotent: false,
});
export const withdrawServiceContract = defineContract({
  service,
  verb: 'withdraw-service',
  description: 'Takes the declaration of a service back; refused while it has backends.',
  request: z.strictObject({
    ...one,
    /** Of the declaration. */
    ifRevisions: ifRevisionsSchema,
  }),
  reply: z.object({ revision: revisionSchema }),
  idempotent: false,
});
