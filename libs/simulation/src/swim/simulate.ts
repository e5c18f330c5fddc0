// A seeded story of loss, stalls, kills and restarts, then calm, and the checks that must hold after it: all agree, the
// killed are dead to all, nobody who runs is. A run that breaks one reports it; it must not know how members decide.

import { isLive, swimConfig, type SwimConfig } from '@skein/swim';
import { SwimCluster } from './swim-cluster';

export interface SwimSimulationOptions {
  /** Default 16, at least 5. */
  readonly memberCount?: number;
  /** Default: preset `local`. */
  readonly config?: SwimConfig;
  /** Share of datagrams lost in the time of trouble, 0 to 1. Default 0.05. */
  readonly loss?: number;
}

export interface SwimViolation {
  readonly rule: 'agreement' | 'ownIncarnation';
  readonly detail: string;
}

export interface SwimSimulationResult {
  readonly seed: number;
  readonly members: number;
  readonly simulatedMs: number;
  readonly packets: number;
  readonly stalls: number;
  readonly killed: readonly string[];
  /** Declarations of death, at any member, of one that was not killed; most of them of a member that stalls. */
  readonly falseDeaths: number;
  /** From each kill to the last member's declaration of it; Infinity if there was none. */
  readonly detectionMs: readonly number[];
  readonly violations: readonly SwimViolation[];
}

const settleMs = 5_000;
const troubleMs = 60_000;
const calmMs = 40_000;

/** The same seed and options give the same result. */
export function simulateSwim(
  seed: number,
  options: SwimSimulationOptions = {},
): SwimSimulationResult {
  const { memberCount = 16, config = swimConfig('local'), loss = 0.05 } = options;
  const cluster = new SwimCluster({ seed, memberCount, config, network: { loss } });
  const killedAt = new Map<string, number>();
  const declaredAt = new Map<string, number>();
  let falseDeaths = 0;
  cluster.onEvent = ({ atMs, event }) => {
    if (event.kind !== 'memberDead') return;
    if (killedAt.has(event.member.name)) declaredAt.set(event.member.name, atMs);
    else falseDeaths += 1;
  };
  cluster.run(settleMs);
  const stalls = makeTrouble(cluster, killedAt);
  cluster.run(troubleMs);
  for (const name of cluster.names) cluster.resume(name);
  cluster.datagrams.conditions = { ...cluster.datagrams.conditions, loss: 0 };
  cluster.run(calmMs);
  return {
    seed,
    members: memberCount,
    simulatedMs: settleMs + troubleMs + calmMs,
    packets: cluster.packetsSent,
    stalls,
    killed: [...killedAt.keys()],
    falseDeaths,
    detectionMs: [...killedAt].map(([name, at]) => (declaredAt.get(name) ?? Infinity) - at),
    violations: [...ownIncarnationViolations(cluster), ...agreementViolations(cluster)],
  };
}

/** m0 and m1 are the seeds and are spared, so that restarted members find someone. Returns the number of stalls. */
function makeTrouble(cluster: SwimCluster, killedAt: Map<string, number>): number {
  const { random, queue } = cluster;
  const [first, second, third, ...stalling] = random.shuffle(cluster.names.slice(2)) as [
    string,
    string,
    string,
    ...string[],
  ];
  for (const name of [first, second, third]) {
    queue.after(random.int(troubleMs - 20_000), () => {
      cluster.kill(name);
      killedAt.set(name, queue.nowMs);
    });
  }
  queue.after(troubleMs - 10_000, () => {
    killedAt.delete(third);
    cluster.restart(third);
  });
  let stalls = 0;
  for (const name of stalling) {
    for (let left = random.int(4); left > 0; left -= 1) {
      stalls += 1;
      const startMs = random.int(troubleMs);
      const kind = random.chance(0.5) ? 'process' : 'messages';
      queue.after(startMs, () => cluster.stall(name, kind));
      queue.after(startMs + random.between(100, 15_000), () => cluster.resume(name));
    }
  }
  return stalls;
}

/** Nobody but a member itself raises its incarnation. */
function ownIncarnationViolations(cluster: SwimCluster): SwimViolation[] {
  return cluster.forgedIncarnations.map((detail) => ({ rule: 'ownIncarnation', detail }));
}

function agreementViolations(cluster: SwimCluster): SwimViolation[] {
  const violations: SwimViolation[] = [];
  const running = cluster.names.filter((name) => cluster.stateOf(name) === 'running');
  for (const observer of running) {
    const known = new Map(cluster.members(observer).map((member) => [member.name, member]));
    for (const name of cluster.names) {
      const member = known.get(name);
      const isRight = running.includes(name)
        ? member?.state === 'alive'
        : member === undefined || !isLive(member);
      if (isRight) continue;
      const detail = `${observer} holds ${name} ${member?.state ?? 'unknown'}`;
      violations.push({ rule: 'agreement', detail });
    }
  }
  return violations;
}
