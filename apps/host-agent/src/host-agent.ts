// One host's agent as a whole: its gossip, its duty to the registry, its kernel. Starts and stops them in order.

import {
  Duty,
  Programmer,
  Reconciler,
  statusRows,
  type ProgramReply,
  type Push,
} from '@skein/agent';
import { kernelRepairedEvent, type ReplyOf, type agentStatusContract } from '@skein/contracts';
import type { Logger, Messenger } from '@skein/messaging';
import { systemTime } from '@skein/time';
import type { Repair } from '@skein/vxlan';
import { IprouteKernel } from '@skein/vxlan-iproute';
import type { HostAgentConfig } from './host-agent.config';
import { Gossip } from './duty/gossip';
import { NameService } from './names/name-service';

export type AgentStatus = ReplyOf<typeof agentStatusContract>;

/** What Ethernet carries, if the link can't be asked. */
const defaultUnderlayMtu = 1_500;

export class HostAgent {
  readonly #config: HostAgentConfig;
  readonly #messenger: Messenger;
  readonly #logger: Logger;
  readonly #kernel: IprouteKernel;
  readonly #names: NameService;
  readonly #programmer: Programmer;
  readonly #gossip: Gossip;
  readonly #duty: Duty;
  #underlayMtu = defaultUnderlayMtu;

  constructor(config: HostAgentConfig, messenger: Messenger, logger: Logger) {
    const { hostId, bootId, vtep, vxlanPort, netnsPrefix, netnsDir } = config;
    this.#config = config;
    this.#messenger = messenger;
    this.#logger = logger;
    this.#kernel = new IprouteKernel({ netnsDir, netnsPrefix });
    this.#names = new NameService({
      self: hostId,
      netnsOf: (network) => `${netnsPrefix}${network.vni}`,
      pathOf: (netns) => this.#kernel.pathOf(netns),
      logger,
    });
    this.#programmer = new Programmer({
      hostId,
      bootId,
      reconcileMs: config.reconcileMs,
      time: systemTime,
      reconciler: new Reconciler({
        self: hostId,
        settings: { vtep, vxlanPort, netnsPrefix },
        kernel: this.#kernel,
        names: this.#names,
        time: systemTime,
        logger,
      }),
      onRepair: (repair) => this.#tellRepair(repair),
      logger,
    });
    const { gossipPort: port, gossipPreset: preset } = config;
    this.#gossip = new Gossip({ hostId, bootId, vtep, port, preset, logger });
    this.#duty = this.#makeDuty();
  }

  async start(): Promise<void> {
    const { vtep, underlayMtu } = this.#config;
    const found = underlayMtu ?? (await this.#kernel.linkMtuOf(vtep));
    if (found === null) this.#logger.warn({ vtep }, 'no link carries the tunnel endpoint');
    this.#underlayMtu = found ?? defaultUnderlayMtu;
    await this.#gossip.start();
    this.#duty.start();
  }

  /** The kernel stays as it is: the data plane outlives its agent. */
  async stop(): Promise<void> {
    this.#duty.stop();
    this.#programmer.stop();
    this.#names.closeAll();
    await this.#gossip.stop();
  }

  program(push: Push): Promise<ProgramReply> {
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
      members: this.#gossip
        .members()
        .map(({ name: host, state, incarnation }) => ({ host, state, incarnation })),
      ...(asked.rows ? { rows: statusRows(await this.#programmer.observe(), networks) } : {}),
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
      }),
      heartbeat: () => ({
        host: hostId,
        bootId,
        programmed: this.#programmer.programmed.revision,
        digest: this.#programmer.programmed.digest,
        repairs: this.#programmer.repairs,
        opinions: this.#gossip.opinions(),
      }),
      onRegistered: ({ peers }) => this.#gossip.join(peers.map(({ gossip }) => gossip)),
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
