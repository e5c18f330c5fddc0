// One host's agent as a whole: its gossip, its duty to the registry, its kernel. Starts and stops them in order.

import {
  Duty,
  LeaseGuard,
  Prober,
  Programmer,
  Reconciler,
  statusRows,
  type Names,
  type ProgramReply,
  type Push,
} from '@skein/agent';
import {
  kernelRepairedEvent,
  type ReplyOf,
  type SkeinError,
  type agentStatusContract,
  type agentTrafficContract,
} from '@skein/contracts';
import type { Logger, Messenger } from '@skein/messaging';
import { resolverAddress, resolverPrefix } from '@skein/names';
import { overheadBytes } from '@skein/share';
import { every, systemTime } from '@skein/time';
import { memberParts, type Repair } from '@skein/vxlan';
import { hostRoutes, IprouteKernel } from '@skein/vxlan-iproute';
import type { HostAgentConfig } from './host-agent.config';
import { Gossip } from './duty/gossip';
import type { DockerDoor } from './docker/docker-door';
import { Forwarder } from './names/forwarder';
import { NameService } from './names/name-service';
import { NameserversFile } from './names/nameservers-file';
import { hasIpv6, probeSockets } from './overlay-probes';

export type AgentStatus = ReplyOf<typeof agentStatusContract>;

/** What Ethernet carries, if the link can't be asked. */
const defaultUnderlayMtu = 1_500;
/** An IP packet has no more bytes, though a loopback device says one more. */
const largestMtu = 65_535;
/** Of VXLAN and what carries it, on an underlay of either family. */
const overheadOf = (vtep: string): number =>
  vtep.includes(':') ? overheadBytes.ipv6 : overheadBytes.ipv4;
/** Routes change seldom, and each change is a commit. */
const routesEveryMs = 30_000;
const measuredEveryMs = 5_000;

export class HostAgent {
  readonly #config: HostAgentConfig;
  readonly #messenger: Messenger;
  readonly #logger: Logger;
  readonly #kernel: IprouteKernel;
  readonly #names: NameService;
  readonly #programmer: Programmer;
  readonly #gossip: Gossip;
  readonly #duty: Duty;
  readonly #guard: LeaseGuard;
  readonly #prober: Prober;
  /** Why this host was sent away; null while it is one of the cluster's. */
  #dismissal: SkeinError | null = null;
  #underlayMtu = defaultUnderlayMtu;
  /** What the host routes itself, as registered; null: the kernel could not be asked yet. */
  #routes: string[] | null = null;
  #forgetRoutes = (): void => undefined;
  #forgetMtu = (): void => undefined;
  #docker: DockerDoor | undefined;

  constructor(config: HostAgentConfig, messenger: Messenger, logger: Logger) {
    const { hostId, bootId, vtep, vxlanPort, netnsPrefix, netnsDir } = config;
    this.#config = config;
    this.#messenger = messenger;
    this.#logger = logger;
    this.#kernel = new IprouteKernel({ netnsDir, netnsPrefix });
    const nameservers = new NameserversFile(config.resolvConf, new Set([resolverAddress]));
    this.#names = new NameService({
      self: hostId,
      netnsOf: (network) => `${netnsPrefix}${network.vni}`,
      pathOf: (netns) => this.#kernel.pathOf(netns),
      elsewhere: new Forwarder({ servers: () => nameservers.servers() }),
      logger,
    });
    this.#prober = new Prober({
      self: hostId,
      netnsPrefix,
      open: probeSockets((netns) => this.#kernel.pathOf(netns)),
      time: systemTime,
      logger,
    });
    this.#programmer = new Programmer({
      hostId,
      bootId,
      reconcileMs: config.reconcileMs,
      time: systemTime,
      reconciler: new Reconciler({
        self: hostId,
        settings: {
          ...{ vtep, vxlanPort, netnsPrefix },
          hasProbes: hasIpv6(),
          anycast: [resolverPrefix],
          filtersSources: true,
        },
        kernel: this.#kernel,
        names: this.#followers(),
        time: systemTime,
        logger,
      }),
      onRepair: (repair) => this.#tellRepair(repair),
      onTaken: () => this.#docker?.shareTaken() ?? false,
      onProgrammed: () => this.#guard.refresh(),
      onGuardMended: () => this.#guard.reopen(),
      logger,
    });
    this.#guard = new LeaseGuard({
      self: hostId,
      netnsPrefix,
      share: () => this.#programmer.share,
      guard: { renew: (renewal) => this.#kernel.renewGuard(renewal) },
      time: systemTime,
      logger,
    });
    this.#gossip = new Gossip({
      hostId,
      bootId,
      vtep,
      port: config.gossipPort,
      preset: config.gossipPreset,
      keys: config.gossipKeys,
      keysFile: config.gossipKeysFile,
      time: systemTime,
      logger,
    });
    this.#duty = this.#makeDuty();
  }

  async start(): Promise<void> {
    const { vtep, underlayMtu } = this.#config;
    const found = underlayMtu ?? (await this.#kernel.linkMtuOf(vtep));
    if (found === null) this.#logger.warn({ vtep }, 'no link carries the tunnel endpoint');
    this.#underlayMtu = Math.min(found ?? defaultUnderlayMtu, largestMtu);
    this.#forgetMtu = every(systemTime, measuredEveryMs, () => this.#lookAtMtu());
    this.#routes = await hostRoutes();
    this.#forgetRoutes = every(systemTime, routesEveryMs, () => void this.#lookAtRoutes());
    if (this.#config.hostResolver) await this.#openHostResolver();
    await this.#gossip.start();
    this.#prober.start();
    this.#duty.start();
    await this.#openDockerDoor();
  }

  /** The kernel stays as it is: the data plane outlives its agent. */
  async stop(): Promise<void> {
    await this.#docker?.stop();
    this.#duty.stop();
    this.#forgetRoutes();
    this.#forgetMtu();
    this.#programmer.stop();
    this.#prober.stop();
    this.#names.closeAll();
    if (this.#config.hostResolver) await this.#kernel.releaseAddress(resolverPrefix);
    await this.#gossip.stop();
  }

  program(push: Push): Promise<ProgramReply> {
    if (this.#dismissal !== null) return Promise.reject(this.#dismissal);
    return this.#programmer.program(push);
  }

  async status(asked: { network?: string | undefined; rows: boolean }): Promise<AgentStatus> {
    const { share, programmed, repairs } = this.#programmer;
    const { hostId, bootId, netnsPrefix } = this.#config;
    const networks = share.networks
      .filter(({ id, name }) => [undefined, id, name].includes(asked.network))
      .map((network) => ({ network, netns: `${netnsPrefix}${network.vni}` }));
    const countOf = (id: string) =>
      share.endpoints.filter((item) => item.networkId === id && item.host === hostId).length;
    return {
      host: hostId,
      bootId,
      programmed: programmed.revision,
      digest: programmed.digest,
      networks: networks.map(({ network: { id, name }, netns }) => ({
        id,
        name,
        netns,
        endpoints: countOf(id),
      })),
      repairs,
      members: this.#gossip.status(),
      localHealth: this.#gossip.localHealth,
      ...(asked.rows ? await this.#kernelStatus(networks) : {}),
    };
  }

  /** Frames that were kept out, as the latest looks at the kernel found: by network, and those of hosts without a part in any. */
  get dropped(): { readonly spoofed: ReadonlyMap<string, number>; readonly strangers: number } {
    const { share, dropped } = this.#programmer;
    const spoofed = share.networks.map(({ name, vni }): [string, number] => [
      name,
      dropped.spoofed.get(`${this.#config.netnsPrefix}${vni}`) ?? 0,
    ]);
    return { spoofed: new Map(spoofed), strangers: dropped.strangers };
  }

  /** What a heartbeat says of them, where there were any. */
  #droppedTotals(): { dropped?: { spoofed: number; strangers: number } } {
    const { spoofed: each, strangers } = this.dropped;
    const spoofed = [...each.values()].reduce((sum, count) => sum + count, 0);
    return spoofed + strangers === 0 ? {} : { dropped: { spoofed, strangers } };
  }

  /** By host and network: the kernel knows only addresses and numbers. */
  async traffic(): Promise<ReplyOf<typeof agentTrafficContract>> {
    const { share } = this.#programmer;
    const hosts = new Map(share.hosts.map(({ id, vtep }) => [vtep, id]));
    const networks = new Map(share.networks.map(({ id, vni }) => [vni, id]));
    const from = [...(await this.#kernel.received())].flatMap(([member, received]) => {
      const { vni, vtep } = memberParts(member);
      const [host, networkId] = [hosts.get(vtep), networks.get(vni)];
      if (host === undefined || networkId === undefined) return [];
      return [{ host, networkId, ...received }];
    });
    return { host: this.#config.hostId, from };
  }

  async #kernelStatus(networks: Parameters<typeof statusRows>[1]) {
    const observed = await this.#programmer.observe();
    const dropped = networks.map(({ network: { name }, netns }): [string, number] => [
      name,
      observed.networks.get(netns)?.filter?.dropped ?? 0,
    ]);
    const strangers = observed.underlay?.dropped ?? 0;
    const asked = new Set(networks.map(({ network: { id } }) => id));
    return {
      rows: statusRows(observed, networks),
      ways: this.#prober.ways().filter(({ networkId }) => asked.has(networkId)),
      dropped: { networks: Object.fromEntries(dropped), strangers },
    };
  }

  /** Resolvers and probes: both have sockets in networks' namespaces, which must go before those do. */
  #followers(): Names {
    const names = this.#names;
    const prober = this.#prober;
    return {
      withdraw: (share) => {
        names.withdraw(share);
        prober.follow(share);
      },
      prepare: (share) => names.prepare(share),
      announce: (share) => names.announce(share),
      // Who takes part stays as it is, so that probes have nothing to follow.
      withdrawEndpoints: (endpoints) => names.withdrawEndpoints(endpoints),
      announceEndpoints: (endpoints) => names.announceEndpoints(endpoints),
      open: (netns) => names.open(netns),
      openAll: () => names.openAll(),
      release: (netns) => {
        names.release(netns);
        prober.release(netns);
      },
    };
  }

  #makeDuty(): Duty {
    const { hostId, hostName, bootId, vtep } = this.#config;
    return new Duty({
      messenger: this.#messenger,
      time: systemTime,
      logger: this.#logger,
      registration: () => ({
        id: hostId,
        name: hostName,
        vtep,
        gossip: this.#gossip.address,
        underlayMtu: this.#underlayMtu,
        bootId,
        labels: this.#config.hostLabels,
        ...(this.#routes === null ? {} : { routes: this.#routes }),
      }),
      heartbeat: () => ({
        host: hostId,
        bootId,
        programmed: this.#programmer.programmed.revision,
        digest: this.#programmer.programmed.digest,
        repairs: this.#programmer.repairs,
        opinions: this.#gossip.opinions(),
        reachability: this.#prober.report(),
        ...this.#droppedTotals(),
        ...(this.#docker === undefined ? {} : { enrolment: this.#docker.enrolment.mark }),
      }),
      onEnrolment: () => this.#docker?.enrolment.follow(),
      onRegistered: ({ peers }) => {
        this.#dismissal = null;
        this.#gossip.join(peers.map(({ gossip }) => gossip));
      },
      onLease: (sentAt, leaseMs) => void this.#guard.granted(sentAt, leaseMs),
      onDismissed: (refusal) => this.#withdraw(refusal),
    });
  }

  /** Its packages are loaded only where there is an engine. */
  async #openDockerDoor(): Promise<void> {
    const { hostId, pluginSocket, dockerSocket, stateDir } = this.#config;
    if (pluginSocket === undefined) return;
    const { DockerDoor } = await import('./docker/docker-door');
    this.#docker = new DockerDoor({
      hostId,
      pluginSocket,
      dockerSocket,
      stateDir,
      messenger: this.#messenger,
      share: () => this.#programmer.share,
      isShareKnown: () => this.#programmer.programmed.revision > 0,
      committed: (id) => this.#programmer.endpoint(id),
      onExpected: (networkId) => this.#expect(networkId),
      logger: this.#logger,
    });
    await this.#docker.start();
  }

  #expect(networkId: string): void {
    const network = this.#programmer.share.networks.find(({ id }) => id === networkId);
    this.#kernel.expect(network && `${this.#config.netnsPrefix}${network.vni}`);
  }

  async #openHostResolver(): Promise<void> {
    const fault = await this.#kernel.holdAddress(resolverPrefix);
    if (fault !== null)
      this.#logger.warn({ fault }, 'the host could not take the address of its resolver');
    await this.#names.openHost();
  }

  /**
   * The underlay carries less than this host's link: networks shall have what gets through. Never more again in this life, since
   * nothing larger is tried any more; whoever mends the underlay starts the agent anew.
   */
  #lookAtMtu(): void {
    const measured = this.#prober.measuredMtu;
    if (measured === null) return;
    const found = measured + overheadOf(this.#config.vtep);
    if (found >= this.#underlayMtu) return;
    const facts = { linkMtu: this.#underlayMtu, measuredMtu: found };
    this.#logger.warn(facts, 'the underlay carries less than the link says');
    this.#underlayMtu = found;
    this.#duty.renew();
  }

  async #lookAtRoutes(): Promise<void> {
    const routes = await hostRoutes();
    if (routes === null || routes.join() === this.#routes?.join()) return;
    this.#routes = routes;
    this.#duty.renew();
  }

  #withdraw(refusal: SkeinError): void {
    this.#dismissal = refusal;
    this.#programmer.withdraw().catch((thrown: unknown) => {
      this.#logger.error({ fault: String(thrown) }, 'what this host held could not be withdrawn');
    });
  }

  #tellRepair({ kind, networkId, reason, count }: Repair): void {
    const told = count === 1 ? reason : `${reason}, and ${count - 1} more`;
    this.#logger.info({ kind, networkId, reason, count }, 'kernel repaired');
    this.#messenger.publishEvent(kernelRepairedEvent, {
      at: Date.now(),
      hostId: this.#config.hostId,
      networkId: networkId ?? 'host',
      kind,
      reason: told,
    });
  }
}
