// The Docker door of one host: carries out at the registry what the door decides about the engine's calls, and keeps its book.

import { randomBytes } from 'node:crypto';
import {
  attachOwnContract,
  declareNetworkContract,
  detachOwnContract,
  SkeinError,
  type ReplyOf,
  type Share,
  type ShareEndpoint,
} from '@skein/contracts';
import {
  Door,
  type Action,
  type Attached,
  type AttachOrder,
  type Call,
  type Declaration,
} from '@skein/docker-plugin';
import type { Logger, Messenger } from '@skein/messaging';
import { systemTime } from '@skein/time';
import { BookFile } from './book-file';
import { EngineLink } from './engine-link';
import { Enrolment } from './enrolment';
import { PluginServer } from './plugin-server';

export interface DockerDoorOptions {
  readonly hostId: string;
  readonly pluginSocket: string;
  /** The engine's own; absent: it is not spoken to. */
  readonly dockerSocket?: string | undefined;
  readonly stateDir: string;
  readonly messenger: Messenger;
  /** What was last taken in. */
  readonly share: () => Share;
  /** Whether the registry has told this host its share. */
  readonly isShareKnown: () => boolean;
  /** An endpoint as this host's share has it: committed, programmed or not. */
  readonly committed: (endpointId: string) => ShareEndpoint | undefined;
  /** Told of a network, by its id, that is about to get an endpoint here. */
  readonly onExpected: (networkId: string) => void;
  readonly logger: Logger;
}

type AttachReply = ReplyOf<typeof attachOwnContract>;

/** Of a call: longer ones would only be given up by the socket. */
const registryTimeoutMs = 7_500;
/** For the hosts of the network to have programmed the endpoint. */
const programWaitMs = 3_000;
/** How often one call may be handed in again. */
const maxRounds = 6;

export class DockerDoor {
  readonly #options: DockerDoorOptions;
  readonly #server: PluginServer;
  readonly #file: BookFile;
  readonly #door: Door;
  readonly #enrolment: Enrolment;
  readonly #engine: EngineLink | undefined;
  /** Attaches under way, by the endpoint's id. */
  readonly #attaching = new Map<string, Promise<unknown>>();
  /** Attaches that are committed while their hosts still program them. */
  readonly #settling = new Map<string, Promise<AttachReply>>();
  /** Told when the share has the endpoint. */
  readonly #awaited = new Map<string, (endpoint: ShareEndpoint) => void>();

  constructor(options: DockerDoorOptions) {
    const { hostId, messenger, logger, pluginSocket: socket, stateDir, share } = options;
    this.#options = options;
    this.#file = new BookFile(stateDir);
    this.#door = new Door(this.#file.read(logger));
    this.#enrolment = new Enrolment({
      hostId,
      messenger,
      logger,
      taken: () => share().networks,
      onChange: () => this.#engine?.compare(),
    });
    if (options.dockerSocket !== undefined) this.#engine = this.#linkTo(options.dockerSocket);
    this.#server = new PluginServer({ socket, answer: (call) => this.#answer(call), logger });
  }

  get enrolment(): Enrolment {
    return this.#enrolment;
  }

  async start(): Promise<void> {
    await this.#server.start();
    this.#engine?.start();
  }

  async stop(): Promise<void> {
    await this.#engine?.stop();
    await this.#server.stop();
  }

  /** What is committed may be answered before it is programmed. True if a call is answered by that. */
  shareTaken(): boolean {
    let isAwaited = false;
    for (const [id, tell] of this.#awaited) {
      const endpoint = this.#options.committed(id);
      if (endpoint === undefined) continue;
      tell(endpoint);
      isAwaited = true;
    }
    return isAwaited;
  }

  #linkTo(socket: string): EngineLink {
    const { hostId, messenger, logger, share, isShareKnown } = this.#options;
    return new EngineLink({
      ...{ hostId, socket, messenger, logger },
      enrolment: this.#enrolment,
      book: this.#door.book,
      share: () => (isShareKnown() ? share() : undefined),
      release: (id, network) => this.#detach(id, network),
      keep: () => this.#file.write(this.#door.book),
    });
  }

  /** Rejects with what the engine is told, which begins with the code. */
  async #answer(call: Call): Promise<object> {
    try {
      const body = await this.#carryOut(call);
      this.#file.write(this.#door.book);
      return body;
    } catch (thrown) {
      const { code, message } = SkeinError.from(thrown);
      throw new Error(`${code}: ${message}`, { cause: thrown });
    }
  }

  async #carryOut(call: Call): Promise<object> {
    let isFresh = false;
    for (let round = 0; round < maxRounds; round += 1) {
      const action = this.#door.handle(call, {
        find: (reference) => this.#enrolment.find(reference),
        newId: newEndpointId(),
        nowMs: systemTime.monotonicMs(),
        isFresh,
      });
      const body = await this.#act(action);
      if (body !== null) return body;
      if (action.kind === 'ask' || action.kind === 'declare') isFresh = true;
    }
    throw new SkeinError('unavailable', `${call.method} was handed in again and again`);
  }

  /** The reply's body; null: the call is to be handed in again. */
  async #act(action: Action): Promise<object | null> {
    switch (action.kind) {
      case 'reply':
        return action.body;
      case 'refuse':
        throw new SkeinError(action.code, action.message);
      case 'ask':
        await this.#enrolment.refresh();
        return null;
      case 'wait':
        await this.#attaching.get(action.id)?.catch(() => undefined);
        return null;
      case 'plug':
        await this.#plug(action.id);
        return null;
      case 'declare':
        await this.#declare(action.network);
        return null;
      case 'attach':
        return this.#act(await this.#attach(action.order));
      case 'detach':
        await this.#detach(action.id, action.network);
        return action.body;
    }
  }

  async #attach(order: AttachOrder): Promise<Action> {
    this.#options.onExpected(order.network);
    const attaching = this.#tryAttach(order);
    this.#attaching.set(order.id, attaching);
    try {
      const attached = await attaching;
      return this.#door.attached(order, attached, (reference) => this.#enrolment.find(reference));
    } catch (thrown) {
      this.#door.failed(order);
      throw thrown;
    } finally {
      this.#attaching.delete(order.id);
    }
  }

  /**
   * Answers once it is committed, of which this host's own share tells first: the engine goes on while the hosts program it, and
   * waits for them when it joins (P6).
   */
  async #tryAttach({ id, network, mac, addresses, instead }: AttachOrder): Promise<Attached> {
    if (instead !== undefined) {
      // Its addresses are wanted again at once: they are free when this host has let go of them.
      await this.#settling.get(instead)?.catch(() => undefined);
      await this.#askDetach(instead, network, programWaitMs);
    }
    const settling = this.#askAttach(id, network, {
      ...(mac === undefined ? {} : { mac }),
      ...(addresses === undefined ? {} : { addresses: [...addresses] }),
    });
    const committed = new Promise<ShareEndpoint>((tell) => this.#awaited.set(id, tell));
    try {
      const first = await Promise.race([settling, committed]);
      if ('endpoint' in first) {
        const { endpoint } = first;
        return { ...endpoint, isPlugged: this.#isPlugged(first) };
      }
      this.#settle(id, settling);
      return { ...first, isPlugged: false };
    } finally {
      this.#awaited.delete(id);
    }
  }

  #settle(id: string, settling: Promise<AttachReply>): void {
    this.#settling.set(id, settling);
    settling
      .then((reply) => {
        if (this.#isPlugged(reply)) this.#door.plugged(id);
      })
      .catch((thrown: unknown) => {
        this.#options.logger.warn({ endpoint: id, fault: String(thrown) }, 'asked for once more');
      })
      .finally(() => this.#settling.delete(id));
  }

  #isPlugged({ behind, faults }: AttachReply): boolean {
    return faults.length === 0 && !behind.includes(this.#options.hostId);
  }

  #askAttach(endpointId: string, network: string, more: { mac?: string; addresses?: string[] }) {
    const { hostId: host, messenger } = this.#options;
    return messenger.request(
      attachOwnContract,
      { host, network, endpointId, engine: 'docker', waitMs: programWaitMs, ...more },
      { timeoutMs: registryTimeoutMs },
    );
  }

  /** Asked for once more, an endpoint that is there is waited for. */
  async #plug(id: string): Promise<void> {
    const { hostId } = this.#options;
    const network = this.#door.book.holds.get(id)?.network;
    if (network === undefined) return;
    const settled = await this.#settling.get(id)?.catch(() => undefined);
    const isDone = settled !== undefined && this.#isPlugged(settled);
    const { behind, faults } = isDone ? settled : await this.#askAttach(id, network, {});
    const [fault] = faults;
    if (fault !== undefined) {
      throw new SkeinError('unavailable', `the interface can't be made here: ${fault.message}`);
    }
    if (behind.includes(hostId)) {
      throw new SkeinError('unavailable', 'this host has not made the interface in time');
    }
    this.#door.plugged(id);
  }

  /** What could not be released now is found when orphans are looked for: the engine need not know. */
  async #detach(id: string, network: string): Promise<void> {
    try {
      await this.#askDetach(id, network);
      this.#door.detached(id);
    } catch (thrown) {
      const fault = String(thrown);
      this.#options.logger.warn({ endpoint: id, fault }, 'an endpoint is released later');
    }
  }

  /** Without a time to wait it is answered once it is committed: nobody waits for the hosts to forget it. */
  async #askDetach(endpointId: string, network: string, waitMs = 0): Promise<void> {
    const { hostId: host, messenger } = this.#options;
    const request = { host, network, endpointId, waitMs };
    await messenger.request(detachOwnContract, request, { timeoutMs: registryTimeoutMs });
  }

  async #declare({ name, internal, subnets }: Declaration): Promise<void> {
    const { hostId: host, messenger } = this.#options;
    const network = {
      name,
      internal,
      subnets: subnets.map(({ reserved, ...rest }) => ({
        ...rest,
        ...(reserved === undefined ? {} : { reserved: { ...reserved } }),
      })),
    };
    await messenger.request(
      declareNetworkContract,
      { host, network },
      { timeoutMs: registryTimeoutMs },
    );
    await this.#enrolment.refresh();
  }
}

/** Fit for keys and subjects. */
function newEndpointId(): string {
  return `d${randomBytes(10).toString('hex')}`;
}
