// The second half of a run: faults stop, and within a bounded time everything must be as it should be: requests answered, hosts up,
// kernels equal to the committed state, nothing leaked, nothing found by the audit. It must not know what came before.

import { auditFindings, auditStateOf } from '@skein/audit';
import { stateRoot } from '@skein/contracts';
import type { Random } from '../random';
import type { Authority } from './checkers/authority';
import type { CommittedHistory } from './committed';
import type { Host } from './host';
import type { Managers } from './managers';
import { lostBetween, pluggedOn } from './reach';
import { Serving } from './serving';
import type { Violations } from './violations';
import type { Workloads } from './workloads';

export interface ConvergenceWorld {
  readonly violations: Violations;
  readonly committed: CommittedHistory;
  readonly managers: Managers;
  readonly hosts: readonly Host[];
  readonly workloads: Workloads;
  readonly authority: Authority;
  readonly networks: readonly string[];
  readonly random: Random;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly runFor: (ms: number) => Promise<void>;
  readonly told: (line: string) => void;
}

/** Until requests are answered, hosts up and kernels right. */
const settleMs = 90_000;
/** Until what failed attaches left behind is swept up. */
const sweepMs = 60_000;
const stepMs = 500;
/** The audit reads everything. */
const sweepStepMs = 3_000;

export class Convergence {
  constructor(private readonly world: ConvergenceWorld) {}

  async run(): Promise<void> {
    if (!(await this.until(() => this.unsettled(), settleMs))) return;
    await new Serving(this.world).serve();
    if (!(await this.until(() => this.unsettled(), settleMs))) return;
    if (!(await this.until(() => this.leaks(), sweepMs, sweepStepMs))) return;
    this.audit();
    const differences = this.world.managers.differences();
    if (differences.length > 0) {
      this.world.violations.report('P3', `replicas differ: ${differences.join('; ')}`);
    }
  }

  private async until(
    whatIsWrong: () => string[],
    withinMs: number,
    everyMs = stepMs,
  ): Promise<boolean> {
    const { violations, nowMs, runFor } = this.world;
    const endMs = nowMs() + withinMs;
    for (;;) {
      if (!violations.isClean) return false;
      const wrong = whatIsWrong();
      if (wrong.length === 0) return true;
      if (nowMs() >= endMs) {
        const shown = wrong.slice(0, 6).join('; ');
        violations.report('liveness', `after ${withinMs} ms of calm: ${shown}`);
        return false;
      }
      await runFor(everyMs);
    }
  }

  private unsettled(): string[] {
    const { workloads, managers, hosts, committed, authority } = this.world;
    const wrong: string[] = [];
    if (managers.leader === undefined) wrong.push('nobody leads');
    for (const { name, state } of workloads.containers) {
      if (state !== 'live' && state !== 'gone') wrong.push(`${name} is ${state}`);
    }
    for (const host of hosts) {
      const record = committed.state.host(host.id);
      const isUp = record?.state === 'up' && record.bootId === host.bootId;
      if (!isUp) wrong.push(`${host.id} is ${record?.state ?? 'unknown'} in ${record?.bootId}`);
      if (record?.isDraining === true) wrong.push(`${host.id} is drained`);
      wrong.push(...authority.differences(host));
    }
    wrong.push(...this.silentPairs());
    const wanted = new Set(workloads.alive.map(({ endpointId }) => endpointId));
    for (const { id, name } of committed.state.endpoints()) {
      if (!wanted.has(id)) wrong.push(`endpoint ${id} (${name}) is nobody's`);
    }
    for (const { name, endpointId } of workloads.alive) {
      if (committed.state.endpoint(endpointId ?? '') === undefined) wrong.push(`${name} is lost`);
    }
    return wrong;
  }

  private silentPairs(): string[] {
    const { hosts, workloads } = this.world;
    const byId = new Map(hosts.map((host) => [host.id, host]));
    const sandboxes = new Set(workloads.alive.map(({ sandbox }) => sandbox));
    const live = hosts.flatMap(pluggedOn).filter(({ sandbox }) => sandboxes.has(sandbox));
    const unplugged = workloads.alive.length - live.length;
    const lost = live.flatMap((from) =>
      live
        .filter((to) => to !== from && to.netns === from.netns)
        .flatMap((to) => lostBetween(byId, from, to) ?? []),
    );
    return unplugged === 0 ? lost : [...lost, `${unplugged} containers are not plugged in`];
  }

  /** Addresses that are held for nobody. */
  private leaks(): string[] {
    return this.findings().map(({ kind, message }) => `${kind}: ${message}`);
  }

  private audit(): void {
    for (const { kind, message } of this.findings()) {
      this.world.violations.report('audit', `${kind}: ${message}`);
    }
  }

  private findings(): ReturnType<typeof auditFindings> {
    const { managers, wallMs } = this.world;
    const store = managers.newestStore;
    if (store === null) return [];
    const outcome = store.range({ key: stateRoot, prefix: true });
    if (!outcome.ok) return [];
    const { kvs, revision } = outcome.reply;
    return auditFindings(auditStateOf([...kvs], revision), { now: wallMs(), graceMs: 0 });
  }
}
