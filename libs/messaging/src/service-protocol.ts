// NATS' services protocol (ADR-32): answers PING, INFO and STATS for a service, so that `nats micro` lists it with its
// endpoints, schemas and counts. It only reports; what the endpoints do is none of its business.

import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Contract } from '@skein/contracts';
import { z } from 'zod';
import type { EndpointCounts } from './endpoint-stats';
import type { Logger } from './logger';
import { subscribeGuarded, type Subscription } from './subscription';
import { encodeJson, headerRoomBytes, maxBodyBytes } from './wire';

export interface ServiceDefinition {
  /** Of A–Z a–z 0–9 _ -. */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly description: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Distinguishes the replicas of a service; a random one unless given. */
  readonly instanceId?: string | undefined;
}

export interface ReportedEndpoint {
  readonly contract: Contract;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly counts: EndpointCounts;
}

export interface ReportedService {
  readonly definition: ServiceDefinition;
  readonly id: string;
  readonly started: string;
  endpoints(): readonly ReportedEndpoint[];
}

type Verb = 'PING' | 'INFO' | 'STATS';

/** Subscribes to the nine subjects of the protocol. */
export function report(
  connection: NatsConnection,
  service: ReportedService,
  logger: Logger,
): Subscription[] {
  const limit = (connection.info?.max_payload ?? maxBodyBytes) - headerRoomBytes;
  const answers: Record<Verb, () => Uint8Array> = {
    PING: () => encodeJson(identity(service, 'ping')),
    INFO: () => info(service, limit),
    STATS: () => encodeJson(stats(service)),
  };
  return (Object.keys(answers) as Verb[]).flatMap((verb) => {
    const respond = (message: Msg): void => void message.respond(answers[verb]());
    const { name } = service.definition;
    const subjects = [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${service.id}`];
    return subjects.map((subject) => subscribeGuarded(connection, subject, respond, { logger }));
  });
}

function identity(service: ReportedService, kind: 'ping' | 'info' | 'stats'): object {
  const { name, version, metadata } = service.definition;
  return {
    type: `io.nats.micro.v1.${kind}_response`,
    name,
    id: service.id,
    version,
    metadata: metadata ?? {},
  };
}

/** Leaves the schemas out if they would not fit into a message. */
function info(service: ReportedService, limit: number): Uint8Array {
  const form = (withSchemas: boolean): Uint8Array =>
    encodeJson({
      ...identity(service, 'info'),
      description: service.definition.description,
      endpoints: service.endpoints().map(({ contract, subject, queue }) => ({
        name: contract.verb,
        subject,
        queue_group: queue ?? '',
        metadata: {
          description: contract.description,
          ...(withSchemas ? schemasOf(contract) : {}),
        },
      })),
    });
  const whole = form(true);
  return whole.length <= limit ? whole : form(false);
}

function stats(service: ReportedService): object {
  return {
    ...identity(service, 'stats'),
    started: service.started,
    endpoints: service.endpoints().map(({ contract, subject, queue, counts }) => ({
      name: contract.verb,
      subject,
      queue_group: queue ?? '',
      ...counts,
    })),
  };
}

const schemas = new WeakMap<Contract, Record<string, string>>();

function schemasOf(contract: Contract): Record<string, string> {
  const known = schemas.get(contract);
  if (known !== undefined) return known;
  const text = (schema: z.ZodType, io: 'input' | 'output'): string =>
    JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  const made = {
    'schema.request': text(contract.request, 'input'),
    'schema.reply': text(contract.reply, 'output'),
  };
  schemas.set(contract, made);
  return made;
}
