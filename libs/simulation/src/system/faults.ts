// Brings faults over every part of the system, one after the other and many at once, as the seed draws them, and takes them all back
// in the end. It must not know what is checked.

import type { ClusterReplica } from '../cluster/replica';
import type { EventQueue } from '../event-queue';
import { calmNetwork, type SimulatedNetwork } from '../network';
import type { Random } from '../random';
import type { Host, Letter } from './host';
import { hubName, type Hub } from './hub';
import type { Operator } from './operator';
import {
  drawSpell,
  systemFaultKinds,
  type SystemConditions,
  type SystemFaultKind,
} from './options';
import type { Service } from './service';

export interface FaultWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly conditions: SystemConditions;
  readonly hub: Hub;
  readonly gossip: SimulatedNetwork<Letter>;
  readonly managers: readonly ClusterReplica[];
  readonly registries: readonly Service[];
  readonly ipams: readonly Service[];
  readonly hosts: readonly Host[];
  readonly kernelConditions: { refusal: number };
  readonly tell: (line: string) => void;
  /** The kernel is no longer as its agent left it. */
  readonly harmed: (host: Host) => void;
  readonly allEnded: (host: Host) => void;
  readonly operator: Operator;
}

export class Faults {
  readonly counts = Object.fromEntries(systemFaultKinds.map((kind) => [kind, 0])) as Record<
    SystemFaultKind,
    number
  >;
  isOver = false;
  private readonly drained = new Set<Host>();
  private readonly retired = new Set<Host>();

  constructor(private readonly world: FaultWorld) {}

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  start(): void {
    const { queue, random, conditions } = this.world;
    queue.after(drawSpell(random, conditions.meanFaultGapMs), () => {
      if (this.isOver) return;
      this.bring(random.pick(conditions.faultKinds));
      this.start();
    });
  }

  private bring(kind: SystemFaultKind): void {
    const { random, conditions, managers, registries, ipams, hosts, tell } = this.world;
    const spellMs = drawSpell(random, conditions.meanFaultMs);
    const host = random.pick(hosts);
    const manager = random.pick(managers);
    const registry = this.activeOrAny(registries);
    const ipam = random.pick(ipams);
    this.counts[kind] += 1;
    tell(`fault ${kind} for ${Math.round(spellMs)} ms`);
    switch (kind) {
      case 'managerCrash':
        return this.crashManager(manager, spellMs);
      case 'managerPause':
        return this.pauseManager(manager, spellMs);
      case 'managerCut':
        return this.cut(manager.id, spellMs);
      case 'managerDiskStall':
        return manager.disk.stall(spellMs);
      case 'registryCrash':
        return this.crash(registry, spellMs);
      case 'registryPause':
        return this.pause(registry.place, spellMs * random.pick([1, 3]));
      case 'registryCut':
        return this.cut(registry.name, spellMs);
      case 'ipamCrash':
        return this.crash(ipam, spellMs);
      case 'ipamPause':
        return this.pause(ipam.place, spellMs * random.pick([1, 3]));
      case 'ipamCut':
        return this.cut(ipam.name, spellMs);
      case 'agentCrash':
        return this.crashAgent(host, spellMs * random.pick([0, 1, 4]));
      case 'agentPause':
        return this.pause(host.place, spellMs);
      case 'agentCut':
        return this.cut(host.id, spellMs * random.pick([1, 3]));
      case 'hostReboot':
        return this.reboot(host, spellMs);
      case 'hostLost':
        return this.lose(host, spellMs);
      case 'hostDrained':
        return this.drain(host, spellMs * 2);
      case 'hostRetired':
        return void this.retire(host);
      case 'natsDown':
        return this.natsDown(Math.min(spellMs, 6_000));
      case 'gossipLoss':
        return this.loseGossip(spellMs);
      case 'gossipCut':
        return this.cutGossip(host, spellMs);
      case 'clockJump':
        return this.jumpClock();
      case 'kernelMeddled':
        return this.meddle(host);
      case 'kernelRefuses':
        return this.refuse(spellMs);
    }
  }

  private activeOrAny(services: readonly Service[]): Service {
    const { random } = this.world;
    const active = services.filter(({ isActive }) => isActive());
    return active.length > 0 && random.chance(0.7) ? random.pick(active) : random.pick(services);
  }

  private crashManager(manager: ClusterReplica, spellMs: number): void {
    if (!manager.isUp) return;
    manager.crash();
    this.afterwards(spellMs, () => {
      if (!manager.isUp) manager.start();
    });
  }

  private pauseManager(manager: ClusterReplica, spellMs: number): void {
    if (!manager.isUp || manager.isPaused) return;
    const { life } = manager;
    manager.pause();
    this.afterwards(spellMs, () => {
      if (manager.life === life && manager.isPaused) manager.resume();
    });
  }

  private crash(service: Service, spellMs: number): void {
    if (!service.place.isUp) return;
    service.crash();
    this.afterwards(spellMs, () => service.start());
  }

  private pause(place: Host['place'], spellMs: number): void {
    if (!place.isUp || place.isPaused) return;
    const { life } = place;
    place.pause();
    this.afterwards(spellMs, () => {
      if (place.life === life) place.resume();
    });
  }

  private crashAgent(host: Host, spellMs: number): void {
    if (!host.place.isUp) return;
    host.killAgent();
    this.afterwards(spellMs, () => host.startAgent());
  }

  private reboot(host: Host, spellMs: number): void {
    if (!host.isOn) return;
    this.turnOff(host);
    this.afterwards(500 + spellMs, () => host.powerOn());
  }

  private turnOff(host: Host): void {
    host.powerOff();
    this.world.harmed(host);
    this.world.allEnded(host);
  }

  private drain(host: Host, spellMs: number): void {
    if (this.drained.has(host)) return;
    const { operator } = this.world;
    this.drained.add(host);
    void operator.drain(host, true);
    this.afterwards(spellMs, () => this.undrain(host));
  }

  private undrain(host: Host): void {
    this.drained.delete(host);
    void this.world.operator.drain(host, false);
  }

  /** Its containers are ended and its agent stopped; it is removed, and comes back later without having been started anew. */
  private async retire(host: Host): Promise<void> {
    const { hosts, harmed, allEnded, operator } = this.world;
    if (!host.place.isUp || hosts.filter(({ place }) => place.isUp).length < 3) return;
    this.retired.add(host);
    host.killAgent();
    harmed(host);
    allEnded(host);
    await operator.remove(host);
    host.startAgent();
    await operator.readmit(host);
  }

  private lose(host: Host, spellMs: number): void {
    const { hosts, random, operator } = this.world;
    if (!host.isOn || hosts.filter(({ isOn }) => isOn).length < 3) return;
    this.turnOff(host);
    this.afterwards(8_000 + spellMs, () => {
      if (!host.isOn && random.chance(0.7)) void operator.remove(host);
    });
    this.afterwards(12_000 + spellMs * 2, () => host.powerOn());
  }

  /** One direction, or both. */
  private cut(name: string, spellMs: number): void {
    const { hub, random } = this.world;
    const ways = random.pick([['in'], ['out'], ['in', 'out']] as const);
    const [mends, { network }] = [[] as (() => void)[], hub];
    for (const way of ways) {
      const [from, to] = way === 'in' ? [hubName, name] : [name, hubName];
      network.cut(from, to);
      mends.push(() => network.mend(from, to));
    }
    this.afterwards(spellMs, () => mends.forEach((mend) => mend()));
  }

  private natsDown(spellMs: number): void {
    const { hub } = this.world;
    if (hub.isDown) return;
    hub.goDown();
    this.afterwards(spellMs, () => hub.comeUp(this.names()));
  }

  private names(): string[] {
    const { managers, registries, ipams, hosts } = this.world;
    const services = [...registries, ...ipams].map(({ name }) => name);
    return [...managers.map(({ id }) => id), ...services, ...hosts.map(({ id }) => id), 'gateway'];
  }

  private loseGossip(spellMs: number): void {
    const { gossip, conditions, random } = this.world;
    gossip.conditions = { ...conditions.gossip, loss: 0.3 + random.next() * 0.5 };
    this.afterwards(spellMs, () => (gossip.conditions = conditions.gossip));
  }

  private cutGossip(host: Host, spellMs: number): void {
    const { gossip, hosts, random } = this.world;
    const others = hosts.filter((other) => other !== host && random.chance(0.7));
    const isOneWay = random.chance(0.5);
    const pairs = others.flatMap((other) =>
      isOneWay
        ? [[host, other]]
        : [
            [host, other],
            [other, host],
          ],
    );
    for (const [from, to] of pairs) gossip.cut(from?.id ?? '', to?.id ?? '');
    this.afterwards(spellMs, () => {
      for (const [from, to] of pairs) gossip.mend(from?.id ?? '', to?.id ?? '');
    });
  }

  private jumpClock(): void {
    const { random, hosts, registries, ipams, managers } = this.world;
    const byMs = (random.next() - 0.5) * random.pick([2_000, 60_000, 7_200_000]);
    const places = [...hosts, ...registries, ...ipams].map(({ place }) => place);
    if (random.chance(0.2)) random.pick(managers).clock.jump(byMs);
    else random.pick(places).jumpWallClock(byMs);
  }

  private meddle(host: Host): void {
    const { random, harmed, tell } = this.world;
    const done = host.kernel.meddle(random);
    if (done === null) return;
    tell(`${host.id}: ${done}`);
    harmed(host);
  }

  private refuse(spellMs: number): void {
    const { kernelConditions, random } = this.world;
    kernelConditions.refusal = random.pick([0.05, 0.2]);
    this.afterwards(spellMs, () => (kernelConditions.refusal = 0));
  }

  private afterwards(spellMs: number, run: () => void): void {
    this.world.queue.after(spellMs, () => {
      if (!this.isOver) run();
    });
  }

  /** Everything that can work does, from now on. */
  stop(): void {
    this.isOver = true;
    const { hub, gossip, managers, registries, ipams, hosts, kernelConditions, operator } =
      this.world;
    if (hub.isDown) hub.comeUp(this.names());
    hub.network.mendAll();
    gossip.mendAll();
    hub.network.conditions = calmNetwork;
    gossip.conditions = calmNetwork;
    kernelConditions.refusal = 0;
    for (const manager of managers) {
      manager.disk.recover();
      if (!manager.isUp) manager.start();
      else if (manager.isPaused) manager.resume();
    }
    for (const service of [...registries, ...ipams]) {
      service.start();
      service.place.resume();
    }
    for (const host of hosts) {
      host.powerOn();
      host.startAgent();
      host.place.resume();
    }
    for (const host of this.drained) this.undrain(host);
    for (const host of this.retired) void operator.readmit(host);
  }
}
