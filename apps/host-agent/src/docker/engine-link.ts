// Keeps a host's Docker engine and the cluster in step, besides the engine's own calls: network objects for the networks that the
// host may attach to, names of containers for their endpoints, and an end for what neither has any more.

import { readlinkSync, statfsSync } from 'node:fs';
import { describeOwnContract, type Share } from '@skein/contracts';
import {
  endpointNames,
  namedNetwork,
  OrphanWatch,
  planObjects,
  type Book,
  type Hold,
} from '@skein/docker-plugin';
import type { Logger, Messenger } from '@skein/messaging';
import { systemTime } from '@skein/time';
import { EngineApi, type Container, type ContainerSummary, type EngineEvent } from './engine-api';
import type { Enrolment } from './enrolment';

export interface EngineLinkOptions {
  readonly hostId: string;
  readonly socket: string;
  readonly messenger: Messenger;
  readonly enrolment: Enrolment;
  readonly book: Book;
  /** Undefined before the registry has told this host its share. */
  readonly share: () => Share | undefined;
  readonly release: (id: string, network: string) => Promise<void>;
  /** Writes the book down. */
  readonly keep: () => void;
  readonly logger: Logger;
}

/** Name of the driver in the engine: that of the plugin's socket. */
export const driverName = 'skein';

/** Without an event everything is compared again after this long. */
const compareEveryMs = 10_000;
const reconnectMs = 1_000;
/** Until what no container seems to have is released; an engine repeats a call whose answer it did not get for 15 s at most. */
const orphanGraceMs = 30_000;
/** After an engine's word that it connects a container: it answers whoever asked for that some milliseconds later. */
const describeDelayMs = 25;
/** statfs type of a mounted namespace. */
const namespaceFileSystem = 0x6e736673;

const containerActions: ReadonlySet<string> = new Set(['start', 'rename', 'unpause']);

export class EngineLink {
  readonly #options: EngineLinkOptions;
  readonly #api: EngineApi;
  readonly #stopped = new AbortController();
  readonly #orphans = new OrphanWatch(orphanGraceMs);
  /** What was last told of an endpoint, by its id. */
  readonly #told = new Map<string, string>();
  /** Faults that were logged, so that each is logged once. */
  readonly #faults = new Map<string, string>();
  /** Containers that are described once the engine has answered. */
  readonly #connected = new Set<string>();
  #describing: NodeJS.Timeout | undefined;
  #comparing: Promise<void> | undefined;
  #isDue = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EngineLinkOptions) {
    this.#options = options;
    this.#api = new EngineApi(options.socket);
  }

  start(): void {
    void this.#follow();
    this.#timer = setInterval(() => this.compare(), compareEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#describing);
    this.#stopped.abort();
    await this.#api.close();
    await this.#comparing;
  }

  /** Compares everything, once more if it is at it already. */
  compare(): void {
    this.#isDue = true;
    this.#comparing ??= this.#compareWhileDue().finally(() => {
      this.#comparing = undefined;
    });
  }

  async #compareWhileDue(): Promise<void> {
    while (this.#isDue && !this.#stopped.signal.aborted) {
      this.#isDue = false;
      await this.#compareOnce().then(
        () => this.#faults.delete('compare'),
        (thrown: unknown) => this.#fault('compare', thrown),
      );
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const events = this.#api.events(signal);
        this.compare();
        for await (const event of events) await this.#hear(event);
      } catch (thrown) {
        this.#fault('events', thrown);
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, reconnectMs));
    }
  }

  async #hear({ Type: type, Action: action, Actor: actor }: EngineEvent): Promise<void> {
    const { ID: id, Attributes: attributes } = actor;
    if (type === 'network' && (action === 'create' || action === 'destroy')) {
      if (attributes['type'] === driverName) this.compare();
      return;
    }
    const isConnect = type === 'network' && action === 'connect';
    const containerId = isConnect
      ? attributes['container']
      : type === 'container' && containerActions.has(action)
        ? id
        : undefined;
    if (containerId === undefined) return;
    if (isConnect) {
      this.#describeSoon(containerId);
      return;
    }
    this.#connected.delete(containerId);
    await this.#tryDescribe(containerId);
  }

  /** Names need nobody who waits for the engine: what commits them would only take processors from it. */
  #describeSoon(containerId: string): void {
    this.#connected.add(containerId);
    this.#describing ??= setTimeout(() => {
      this.#describing = undefined;
      void this.#describeConnected();
    }, describeDelayMs);
  }

  async #describeConnected(): Promise<void> {
    const ids = [...this.#connected];
    this.#connected.clear();
    for (const id of ids) await this.#tryDescribe(id);
  }

  async #tryDescribe(containerId: string): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    await this.#describe(containerId).catch((thrown: unknown) => this.#fault('names', thrown));
  }

  async #compareOnce(): Promise<void> {
    const { book, enrolment, keep } = this.#options;
    const before = new Set(book.bindings.keys());
    const networks = await this.#api.networks(driverName);
    const containers = await this.#api.containers();
    const ids = new Set(networks.map(({ id }) => id));
    for (const id of before) if (!ids.has(id)) book.bindings.delete(id);
    for (const object of networks) {
      const network = enrolment.find(namedNetwork(object) ?? '');
      if (network === undefined || book.bindings.has(object.id)) continue;
      const claims = object.addressDriver !== driverName;
      book.bindings.set(object.id, { network: network.id, claims });
    }
    this.#adopt(containers);
    keep();
    await this.#keepObjects(networks);
    await this.#release(containers);
    for (const { Id: id, NetworkSettings: settings } of containers) {
      const attachments = settings?.Networks ?? [];
      if (attachments.some(({ EndpointID }) => this.#holdOf(EndpointID) !== undefined)) {
        await this.#describe(id);
      }
    }
  }

  /** Endpoints that are committed but not in the book, as after its loss: the engine knows whose MAC is whose. */
  #adopt(containers: readonly ContainerSummary[]): void {
    const { book, share, hostId } = this.#options;
    const own = (share()?.endpoints ?? []).filter((each) => each.host === hostId && each.engine);
    for (const { NetworkSettings: settings } of containers) {
      for (const { NetworkID, EndpointID: engineId, MacAddress: mac } of settings?.Networks ?? []) {
        const binding = book.bindings.get(NetworkID);
        if (engineId === '' || binding === undefined || book.byEngineId(engineId)) continue;
        const found = own.find((each) => each.mac === mac && each.networkId === binding.network);
        if (found === undefined) continue;
        const { id, networkId: network, addresses } = found;
        const hold: Hold = {
          ...{ id, network, mac, addresses, engineId },
          ...{ isClaimed: binding.claims, isReleased: false, isPlugged: true },
        };
        book.put(hold);
      }
    }
  }

  async #keepObjects(networks: Awaited<ReturnType<EngineApi['networks']>>): Promise<void> {
    const { enrolment, logger } = this.#options;
    // Before the registry has answered nothing is known of what should be.
    if (enrolment.networks === null) return;
    for (const { remove, create, reason } of planObjects(
      enrolment.networks,
      networks,
      driverName,
    )) {
      const name = create?.Name ?? remove ?? '';
      try {
        if (remove !== undefined) await this.#api.removeNetwork(remove);
        if (create !== undefined) await this.#api.createNetwork(create);
        logger.info({ network: name, reason }, 'network object kept in step');
        this.#faults.delete(`object ${name}`);
      } catch (thrown) {
        this.#fault(`object ${name}`, thrown);
      }
    }
  }

  async #release(containers: readonly ContainerSummary[]): Promise<void> {
    const { book, share, hostId, release, keep, logger } = this.#options;
    const own = share();
    if (own === undefined) return;
    const committed = own.endpoints.filter((each) => each.host === hostId && each.engine);
    const engineIds = containers.flatMap(({ NetworkSettings: settings }) =>
      (settings?.Networks ?? []).map(({ EndpointID }) => EndpointID),
    );
    const orphans = this.#orphans.look({
      book,
      committed: new Map(committed.map((each) => [each.id, each.networkId])),
      engineIds: new Set(engineIds),
      nowMs: systemTime.monotonicMs(),
    });
    for (const { id, network } of orphans.release) {
      logger.warn({ endpoint: id, network }, 'an endpoint that no container has is released');
      await release(id, network);
    }
    for (const id of orphans.forget) book.holds.delete(id);
    keep();
  }

  /** Told once the container runs: before that its engine is at work in the sandbox. */
  async #describe(containerId: string): Promise<void> {
    const container = await this.#api.container(containerId);
    if (container?.State.Running !== true) return;
    for (const { EndpointID: engineId, Aliases: aliases } of container.NetworkSettings.Networks) {
      const hold = this.#holdOf(engineId);
      if (hold !== undefined) await this.#tell(hold, container, aliases ?? []);
    }
  }

  async #tell(hold: Hold, container: Container, aliases: readonly string[]): Promise<void> {
    const { hostId: host, messenger, logger } = this.#options;
    const { Id: containerId, Name: name, Config: config } = container;
    const names = endpointNames({ containerId, name, aliases, labels: config.Labels });
    const netns = sandboxPath(container);
    const asked = {
      ...{ host, network: hold.network, endpointId: hold.id, ...names },
      ...(netns === null ? {} : { sandbox: { netns } }),
    };
    const text = JSON.stringify(asked);
    if (this.#told.get(hold.id) === text) return;
    const { taken } = await messenger.request(describeOwnContract, asked);
    this.#told.set(hold.id, text);
    for (const id of this.#told.keys()) {
      if (!this.#options.book.holds.has(id)) this.#told.delete(id);
    }
    if (taken.length > 0) {
      logger.warn({ container: name, taken }, 'names that other endpoints have are not given');
    }
  }

  #holdOf(engineId: string): Hold | undefined {
    return engineId === '' ? undefined : this.#options.book.byEngineId(engineId);
  }

  #fault(about: string, thrown: unknown): void {
    if (this.#stopped.signal.aborted) return;
    const fault = thrown instanceof Error ? thrown.message : String(thrown);
    if (this.#faults.get(about) === fault) return;
    this.#faults.set(about, fault);
    this.#options.logger.warn({ about, fault }, 'the Docker engine and Skein are not in step');
  }
}

/** The engine's file if it is seen from here, else the container's process; null if neither is there. */
function sandboxPath({ State: { Pid: pid }, NetworkSettings: { SandboxKey: key } }: Container) {
  try {
    if (key !== '' && statfsSync(key).type === namespaceFileSystem) return key;
  } catch {
    // An engine may keep its mounts to itself.
  }
  try {
    readlinkSync(`/proc/${pid}/ns/net`);
    return pid === 0 ? null : `/proc/${pid}/ns/net`;
  } catch {
    return null;
  }
}
