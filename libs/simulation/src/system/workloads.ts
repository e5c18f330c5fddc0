// What people do with the system: containers that are started, attached, detached, that end, or die with their machine. Each knows
// what it was told and nothing else. It must not know how it is served.

import { createEndpointsContract, deleteEndpointContract, SkeinError } from '@skein/contracts';
import { elapsed } from '@skein/time';
import type { Random } from '../random';
import type { Host } from './host';
import type { HubMessenger } from './hub';
import { drawSpell } from './options';
import type { Place } from './place';
import { drawWish, type Wish } from './wishes';

export interface Container {
  readonly name: string;
  readonly network: string;
  readonly host: Host;
  /** How often the host had lost all its containers when this one began. */
  readonly shift: number;
  readonly sandbox: string;
  readonly wish: Wish;
  /** `ending`: somebody has asked for its end; `gone`: nothing of it is left, by word of the system. */
  state: 'attaching' | 'live' | 'ending' | 'gone';
  endpointId: string | null;
}

export interface WorkloadObserver {
  attached(container: Container, revision: number): void;
  /** It is to be there no longer: asked for, or its machine has gone. */
  released(container: Container): void;
  detached(container: Container, revision: number, behind: readonly string[]): void;
  said(line: string): void;
}

export interface WorkloadOptions {
  readonly place: Place;
  readonly messenger: HubMessenger;
  readonly random: Random;
  readonly hosts: readonly Host[];
  readonly networks: readonly string[];
  readonly clients: number;
  readonly meanThinkMs: number;
  readonly maxContainers: number;
  readonly observer: WorkloadObserver;
}

const waitMs = 3_000;
/** As the gateway asks for people: it waits while nobody serves. */
const asking = { retryUnavailable: true };

export class Workloads {
  readonly containers: Container[] = [];
  readonly counts = { attached: 0, detached: 0, refused: 0, unknown: 0 };
  private isStopped = false;
  private started = 0;

  constructor(private readonly options: WorkloadOptions) {}

  start(): void {
    for (let client = 0; client < this.options.clients; client += 1) void this.live();
  }

  stop(): void {
    this.isStopped = true;
  }

  /** Nothing that was begun is still to be ended. */
  get isAtRest(): boolean {
    return this.containers.every(({ state }) => state === 'live' || state === 'gone');
  }

  bySandbox(path: string): Container | undefined {
    return this.containers.find(({ sandbox }) => sandbox === path);
  }

  get alive(): Container[] {
    return this.containers.filter(({ state }) => state === 'live');
  }

  /** Its endpoint was taken away, since its machine was not heard of; it may be running all the same. */
  reclaimed(endpointId: string): void {
    for (const container of this.containers) {
      if (container.endpointId === endpointId && container.state === 'live') {
        container.state = 'gone';
      }
    }
  }

  /** All that ran on the host has ended: their endpoints are given back once somebody notices. */
  allEnded(host: Host): void {
    host.shifts += 1;
    for (const container of this.containers) {
      if (container.host !== host) continue;
      this.closeSandbox(container);
      if (container.state === 'gone') continue;
      if (container.state === 'live') void this.end(container);
      this.options.observer.released(container);
    }
  }

  /** One attach, for whoever wants to know whether the system serves. Throws its refusal, with nothing left of it. */
  async attachOne(host: Host, network: string): Promise<readonly string[]> {
    const container = this.make(host, network);
    try {
      const { behind } = await this.ask([container]);
      await this.end(container);
      return behind;
    } catch (thrown) {
      await this.abandon(container, SkeinError.from(thrown).code);
      throw thrown;
    }
  }

  /** Ends one that lives on the network; false if none does. */
  async endOneOf(network: string): Promise<boolean> {
    const found = this.alive.find((container) => container.network === network);
    if (found !== undefined) await this.end(found);
    return found !== undefined;
  }

  private async live(): Promise<void> {
    const { place, random, meanThinkMs, maxContainers } = this.options;
    while (!this.isStopped) {
      await elapsed(place.time, drawSpell(random, meanThinkMs));
      if (this.isStopped) return;
      const { alive: live } = this;
      const isFull =
        this.containers.filter(({ state }) => state !== 'gone').length >= maxContainers;
      const container = live.length > 0 ? random.pick(live) : null;
      if (container !== null && (isFull || random.chance(0.4))) await this.end(container);
      else if (!isFull) await this.begin();
    }
  }

  private async begin(): Promise<void> {
    const { random, hosts, networks, observer } = this.options;
    const usable = hosts.filter(({ isOn }) => isOn);
    if (usable.length === 0) return;
    const network = random.pick(networks);
    const count = random.pick([1, 1, 1, 2, 3]);
    const wish = count > 1 ? {} : drawWish(random, network);
    const batch = Array.from({ length: count }, () =>
      this.make(random.pick(usable), network, wish),
    );
    try {
      const { behind } = await this.ask(batch);
      if (behind.length > 0) observer.said(`attach: behind ${behind.join(' ')}`);
    } catch (thrown) {
      const { code } = SkeinError.from(thrown);
      observer.said(`attach of ${batch.map(({ name }) => name).join(' ')}: ${code}`);
      if (code === 'unknown_outcome') this.counts.unknown += 1;
      else this.counts.refused += 1;
      await Promise.all(batch.map((container) => this.abandon(container, code)));
    }
  }

  private make(host: Host, network: string, wish: Wish = {}): Container {
    this.started += 1;
    const name = `c${this.started}`;
    const sandbox = `/run/netns/${name}`;
    const container: Container = {
      name,
      network,
      host,
      shift: host.shifts,
      sandbox,
      wish,
      state: 'attaching',
      endpointId: null,
    };
    host.kernel.openSandbox(sandbox);
    this.containers.push(container);
    return container;
  }

  private async ask(batch: readonly Container[]): Promise<{ behind: readonly string[] }> {
    const { messenger, observer } = this.options;
    const [first] = batch;
    if (first === undefined) throw new Error('a batch of nothing');
    const endpoints = batch.map(({ name, host, sandbox, wish }) => ({
      ...wish,
      host: host.id,
      name,
      sandbox: { netns: sandbox },
    }));
    const request = { network: first.network, waitMs, endpoints };
    const reply = await messenger.request(createEndpointsContract, request, asking);
    this.counts.attached += batch.length;
    for (const container of batch) {
      const found = reply.endpoints.find(({ name }) => name === container.name);
      if (found === undefined) throw new Error(`${container.name} is not in the answer`);
      container.endpointId = found.id;
      // Its runtime gives up on what its own machine could not plug in within the time.
      const isPlugged = !reply.behind.includes(container.host.id);
      const isOn = container.host.isOn && container.host.shifts === container.shift;
      const isThere = isOn && isPlugged;
      if (isThere) {
        container.state = 'live';
        observer.attached(container, reply.revision);
      } else {
        void this.end(container);
      }
    }
    return reply;
  }

  /** The attach has failed, or nobody knows. What may be there is taken back by its name. */
  private async abandon(container: Container, code: string): Promise<void> {
    this.closeSandbox(container);
    if (code !== 'unknown_outcome') {
      container.state = 'gone';
      return;
    }
    await this.end(container);
  }

  /** Asks until it is certain that the endpoint is gone. */
  private async end(container: Container): Promise<void> {
    const { observer, random, place } = this.options;
    if (container.state === 'gone' || container.state === 'ending') return;
    const wasLive = container.state === 'live';
    container.state = 'ending';
    observer.released(container);
    // Its runtime may end it first, have it unplugged first, or let it go on without the network.
    const way = random.pick(['ended', 'ended', 'unplugged', 'unplugged', 'goes on'] as const);
    if (!wasLive || way === 'ended') this.closeSandbox(container);
    for (let attempt = 1; ; attempt += 1) {
      const isOver = await this.tryDetach(container, attempt);
      if (way !== 'goes on') this.closeSandbox(container);
      if (isOver) break;
      await elapsed(place.time, 200 + random.next() * 800);
    }
    container.state = 'gone';
  }

  private async tryDetach(container: Container, attempt: number): Promise<boolean> {
    const { messenger, observer } = this.options;
    const { network, endpointId, name } = container;
    try {
      const { revision, behind } = await messenger.request(
        deleteEndpointContract,
        { network, endpoint: endpointId ?? name, waitMs },
        asking,
      );
      this.counts.detached += 1;
      observer.detached(container, revision, behind);
      return true;
    } catch (thrown) {
      const { code } = SkeinError.from(thrown);
      observer.said(`detach of ${name}, attempt ${attempt}: ${code}`);
      return code === 'endpoint_not_found' || code === 'network_not_found';
    }
  }

  private closeSandbox({ host, sandbox }: Container): void {
    if (host.kernel.sandboxes.has(sandbox)) host.kernel.closeSandbox(sandbox);
  }
}
