// The few calls of a Docker engine's API that Skein makes, over the engine's socket, as schemas of what is read from the answers.
// The engine's own newest version answers; what is read has been there since 20.10.

import { SkeinError } from '@skein/contracts';
import type { EngineNetwork, NetworkObject } from '@skein/docker-plugin';
import { Pool, type Dispatcher } from 'undici';
import { z } from 'zod';

const textMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((given) => given ?? {});

const networkSchema = z
  .object({
    Id: z.string(),
    Name: z.string(),
    Driver: z.string(),
    Internal: z.boolean().default(false),
    Options: textMap,
    Labels: textMap,
    IPAM: z.object({
      Driver: z.string(),
      Config: z.array(z.object({ Subnet: z.string().default('') })).nullish(),
    }),
  })
  .transform(({ Id: id, Name: name, Driver, Internal, Options, Labels, IPAM }): EngineNetwork => ({
    id,
    name,
    driver: Driver,
    addressDriver: IPAM.Driver,
    internal: Internal,
    subnets: (IPAM.Config ?? []).map(({ Subnet }) => Subnet),
    options: Options,
    labels: Labels,
  }));

const attachmentSchema = z.object({
  NetworkID: z.string().default(''),
  EndpointID: z.string().default(''),
  MacAddress: z.string().default(''),
  Aliases: z.array(z.string()).nullish(),
});

const attachmentsSchema = z
  .record(z.string(), attachmentSchema)
  .nullish()
  .transform((given) => Object.values(given ?? {}));

const containerSummarySchema = z.object({
  Id: z.string(),
  NetworkSettings: z.object({ Networks: attachmentsSchema }).nullish(),
});
export type ContainerSummary = z.output<typeof containerSummarySchema>;

const containerSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Running: z.boolean(), Pid: z.int().default(0) }),
  Config: z.object({ Labels: textMap }),
  NetworkSettings: z.object({ SandboxKey: z.string().default(''), Networks: attachmentsSchema }),
});
export type Container = z.output<typeof containerSchema>;

const eventSchema = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: textMap }),
});
export type EngineEvent = z.output<typeof eventSchema>;

const callTimeoutMs = 10_000;
const maxEventBytes = 1_048_576;
const connections = 4;

export class EngineApi {
  readonly #pool: Pool;

  constructor(socketPath: string) {
    this.#pool = new Pool('http://docker', { socketPath, connections });
  }

  /** Rejects what is under way. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async networks(driver: string): Promise<EngineNetwork[]> {
    const query = filters({ driver: [driver] });
    return z.array(networkSchema).parse(await this.#call('GET', `/networks?${query}`));
  }

  /** Stopped ones included: one that is being started has its endpoints already. */
  async containers(): Promise<ContainerSummary[]> {
    return z.array(containerSummarySchema).parse(await this.#call('GET', '/containers/json?all=1'));
  }

  /** Null if it is gone. */
  async container(id: string): Promise<Container | null> {
    const found = await this.#call('GET', `/containers/${encodeURIComponent(id)}/json`, {
      or404: true,
    });
    return found === null ? null : containerSchema.parse(found);
  }

  async createNetwork(object: NetworkObject): Promise<void> {
    await this.#call('POST', '/networks/create', { body: object });
  }

  async removeNetwork(id: string): Promise<void> {
    await this.#call('DELETE', `/networks/${encodeURIComponent(id)}`, { or404: true });
  }

  /** Until the engine ends or `signal` does; what can't be read is passed over. */
  async *events(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const query = filters({ type: ['container', 'network'] });
    const { statusCode, body } = await this.#pool.request({
      method: 'GET',
      path: `/events?${query}`,
      headersTimeout: 0,
      bodyTimeout: 0,
      signal,
    });
    if (statusCode !== 200) throw await failureOf('GET', '/events', statusCode, body);
    let rest = '';
    for await (const chunk of body) {
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxEventBytes) throw new SkeinError('internal', 'an event has no end');
      for (const line of lines) {
        const event = readEvent(line);
        if (event !== null) yield event;
      }
    }
  }

  async #call(
    method: Dispatcher.HttpMethod,
    path: string,
    { body, or404 = false }: { body?: object; or404?: boolean } = {},
  ): Promise<unknown> {
    const answer = await this.#pool.request({
      method,
      path,
      headersTimeout: callTimeoutMs,
      bodyTimeout: callTimeoutMs,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const { statusCode } = answer;
    if (statusCode === 404 && or404) {
      await answer.body.dump();
      return null;
    }
    if (statusCode >= 300) throw await failureOf(method, path, statusCode, answer.body);
    const text = await answer.body.text();
    return text === '' ? null : JSON.parse(text);
  }
}

async function failureOf(
  method: string,
  path: string,
  status: number,
  body: { text(): Promise<string> },
): Promise<SkeinError> {
  const said = (await body.text()).slice(0, 500);
  const message = `the engine answered ${method} ${path} with ${status}: ${said.trim()}`;
  return new SkeinError('unavailable', message, { facts: { status } });
}

function filters(by: Readonly<Record<string, readonly string[]>>): string {
  return `filters=${encodeURIComponent(JSON.stringify(by))}`;
}

function readEvent(line: string): EngineEvent | null {
  if (line.trim() === '') return null;
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
