// Carries out faults and undoes them, keeping the account of who was harmed when. A process that was killed is started again
// without waiting for it: it may need what is away at that moment.

import { setTimeout as delay } from 'node:timers/promises';
import { agentNetnsPrefix, managerProcess, placesOf, underlayPort } from '@skein/local-cluster';
import type { Random } from '@skein/simulation';
import { nowMs } from './clock';
import type { CutSet, Cuts } from './cuts';
import type { CutShape, Fault, Victim } from './fault';
import type { HostWatch } from './host-watch';
import { fdbOf, namespaces, neighborsOf } from './kernel-view';
import type { Ledger } from './ledger';
import { managerIds, replicas } from './plan';
import { isFinal, type Answer } from './rest';
import type { Sandboxes } from './sandboxes';
import type { Weather } from './weather';
import type { World } from './world';

export interface InflictOptions {
  readonly world: World;
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly watch: HostWatch;
  readonly sandboxes: Sandboxes;
  readonly cuts: Cuts | null;
  readonly random: Random;
  readonly tell: (what: string) => void;
}

const repairLimitMs = 10_000;
const undrainPatienceMs = 3_000;
const healPatienceMs = 30_000;
const ports = new Map(
  placesOf({ apart: true, managers: managerIds, replicas }).map(({ process, port }) => [
    process,
    port,
  ]),
);

export class Inflictor {
  readonly counts = new Map<string, number>();
  readonly repairTimesMs: number[] = [];
  readonly #starting = new Set<Promise<unknown>>();
  readonly #drained = new Set<string>();

  constructor(private readonly options: InflictOptions) {}

  async inflict(fault: Fault): Promise<void> {
    const { tell } = this.options;
    switch (fault.kind) {
      case 'kill':
      case 'pause':
      case 'cut': {
        const names = await Promise.all(fault.victims.map((victim) => this.#nameOf(victim)));
        const processes = [...new Set(names)];
        const how = fault.kind === 'cut' ? fault.shape : fault.kind;
        for (const [index, victim] of fault.victims.entries())
          this.#count(`${how} ${kindOf(victim, names[index] ?? '')}`);
        tell(`${how} ${processes.join(' + ')} for ${fault.forMs} ms`);
        if (fault.kind === 'kill') return this.#kill(processes, fault.forMs);
        if (fault.kind === 'pause') return this.#pause(processes, fault.forMs);
        return this.#cut(processes, fault.shape, fault.forMs);
      }
      case 'cutUnderlay':
        this.#count('cut underlay of a host');
        tell(`cut the underlay of ${fault.host} for ${fault.forMs} ms`);
        return this.#cutUnderlay(fault.host, fault.forMs);
      case 'reboot':
        this.#count('reboot of a host');
        tell(`reboot ${fault.host}, ${fault.forMs} ms`);
        return this.#reboot(fault.host, fault.forMs);
      case 'deleteRows':
        return this.#deleteRows(fault.host);
      case 'drain':
        return this.#drain(fault.host, fault.forMs);
    }
  }

  /** Ends what is left: everything runs, nothing stands still. */
  async heal(): Promise<void> {
    await Promise.all(this.#starting);
    const { world } = this.options;
    const { processes } = await world.cluster.control.call('status', {});
    for (const { name, running } of processes) if (!running) await world.start(name);
    for (const host of this.#drained) await this.#undrain(host, healPatienceMs);
  }

  #count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** Someone else of the kind where it can't be found out. */
  async #nameOf(victim: Victim): Promise<string> {
    const { rest } = this.options.world;
    const { random } = this.options;
    switch (victim.is) {
      case 'process':
        return victim.name;
      case 'leader': {
        const { body } = await rest.ask({ method: 'GET', path: '/v1/cluster', timeoutMs: 1_500 });
        return managerProcess((body?.leaderId as string | null) ?? random.pick(managerIds));
      }
      case 'activeRegistry':
        return this.#holder('registry');
      case 'ipamHolder':
        return this.#holder('ipam');
    }
  }

  /** The replica that holds an activation of this service, one of them by chance. */
  async #holder(app: 'registry' | 'ipam'): Promise<string> {
    const { world, random } = this.options;
    const path = `/v1/kv?prefix=${encodeURIComponent('/skein/actor/')}&limit=100`;
    const { body } = await world.rest.ask({ method: 'GET', path, timeoutMs: 1_500 });
    const holders = ((body?.kvs ?? []) as { value: string }[]).flatMap(({ value }) => {
      const replica = /"replica":"(\w+)-(\d+)"/.exec(value);
      return replica?.[1] === app ? [Number(replica[2])] : [];
    });
    const index = holders.length === 0 ? random.between(1, 2) : random.pick(holders);
    return index === 1 ? app : `${app}-${index}`;
  }

  async #kill(processes: readonly string[], forMs: number): Promise<void> {
    const ends = processes.map((process) => this.options.weather.ails(process));
    await Promise.all(processes.map((process) => this.options.world.kill(process)));
    await delay(forMs);
    for (const [index, process] of processes.entries()) this.#start(process, ends[index]);
  }

  #start(process: string, end: (() => void) | undefined): void {
    const started = this.options.world
      .start(process)
      .catch(() => undefined)
      .then(() => {
        end?.();
        this.#starting.delete(started);
      });
    this.#starting.add(started);
  }

  async #pause(processes: readonly string[], forMs: number): Promise<void> {
    const { world, weather } = this.options;
    const ends = processes.map((process) => weather.ails(process));
    await Promise.all(processes.map((process) => world.signal(process, 'SIGSTOP')));
    await delay(forMs);
    await Promise.all(processes.map((process) => world.signal(process, 'SIGCONT')));
    for (const end of ends) end();
  }

  async #cut(processes: readonly string[], shape: CutShape, forMs: number): Promise<void> {
    const { cuts, weather } = this.options;
    if (cuts === null) return;
    const ends = processes.map((process) => weather.ails(process));
    const sets: CutSet[] = shape === 'cut' ? ['mute', 'deaf'] : [shape];
    const places = processes.map((process) => {
      const port = ports.get(process);
      return port === undefined
        ? { port: underlayPort(process.slice('agent-'.length)), sets: ['unsteered' as const] }
        : { port, sets };
    });
    for (const place of places) await cuts.begin(place.sets, place.port);
    await delay(forMs);
    for (const place of places) await cuts.end(place.sets, place.port);
    for (const end of ends) end();
  }

  async #cutUnderlay(host: string, forMs: number): Promise<void> {
    const { cuts, weather } = this.options;
    if (cuts === null) return;
    const ends = [weather.harms(host), weather.ails(`agent-${host}`)];
    await cuts.begin(['mute', 'deaf'], underlayPort(host));
    await delay(forMs);
    await cuts.end(['mute', 'deaf'], underlayPort(host));
    for (const end of ends) end();
  }

  async #reboot(host: string, forMs: number): Promise<void> {
    const { world, weather, ledger, watch, sandboxes } = this.options;
    const agent = `agent-${host}`;
    const ends = [weather.harms(host), weather.ails(agent)];
    watch.onNextBoot(host, ledger.rebooted(host));
    await world.kill(agent);
    await sandboxes.lose(host);
    await world.cluster.control.call('rebootHost', { host });
    await delay(forMs);
    await sandboxes.bringBack(host);
    this.#start(agent, () => {
      for (const end of ends) end();
    });
  }

  /** One forwarding row and one neighbour row of an overlay; waits until they are back. */
  async #deleteRows(host: string): Promise<void> {
    const { world, weather, random, tell } = this.options;
    const overlays = (await namespaces(world.cluster.control)).filter((name) =>
      name.startsWith(agentNetnsPrefix(host)),
    );
    if (overlays.length === 0) return;
    const netns = random.pick(overlays);
    const fdb = (await fdbOf(world.cluster.control, netns)).filter(({ isRemote }) => isRemote);
    const neighbors = await neighborsOf(world.cluster.control, netns);
    if (fdb.length === 0 || neighbors.length === 0) return;
    const [row, neighbor] = [random.pick(fdb), random.pick(neighbors)];
    const end = weather.harms(host);
    const since = nowMs();
    const { mac, device } = row;
    await world.run(['bridge', 'fdb', 'del', mac, 'dev', device, 'self'], netns);
    await world.run(['ip', 'neigh', 'del', neighbor.address, 'dev', neighbor.device], netns);
    this.#count('rows deleted by hand');
    tell(`delete rows of ${mac} and ${neighbor.address} in ${netns}`);
    for (;;) {
      const isBack =
        (await fdbOf(world.cluster.control, netns).catch(() => [row])).some(
          (one) => one.mac === mac,
        ) &&
        (await neighborsOf(world.cluster.control, netns).catch(() => [neighbor])).some(
          ({ address }) => address === neighbor.address,
        );
      if (isBack) this.repairTimesMs.push(nowMs() - since);
      if (isBack || nowMs() - since > repairLimitMs) break;
      await delay(200);
    }
    end();
  }

  async #drain(host: string, forMs: number): Promise<void> {
    this.#count('drain of a host');
    this.options.tell(`drain ${host} for ${forMs} ms`);
    // Whatever the answer is, it may have taken effect.
    this.#drained.add(host);
    await this.#ask(host, 'drain');
    await delay(forMs);
    await this.#undrain(host, undrainPatienceMs);
  }

  async #undrain(host: string, patienceMs: number): Promise<void> {
    for (const until = nowMs() + patienceMs; nowMs() < until; await delay(300)) {
      if (isFinal(await this.#ask(host, 'undrain'))) {
        this.#drained.delete(host);
        return;
      }
    }
  }

  #ask(host: string, verb: 'drain' | 'undrain'): Promise<Answer> {
    const path = `/v1/hosts/${host}:${verb}`;
    return this.options.world.rest.ask({ method: 'POST', path, body: {} });
  }
}

function kindOf(victim: Victim, name: string): string {
  if (victim.is === 'leader') return 'leading manager';
  if (victim.is === 'activeRegistry') return 'active registry';
  if (victim.is === 'ipamHolder') return 'holder of an ipam actor';
  return name.startsWith('consensus-') ? 'manager' : name.replace(/-\w+$/, '');
}
