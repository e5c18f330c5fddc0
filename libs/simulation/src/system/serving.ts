// Whether the system serves in calm weather: an attach is answered and names nobody as behind. One on a full network is refused,
// truly, and served once somebody has left. It must not know what the weather was before.

import { keys, SkeinError, type AddressRecord } from '@skein/contracts';
import { cidr, usableCount } from '@skein/ip';
import type { ConvergenceWorld } from './convergence';

/** Until one attach is answered, refusals of full networks apart. */
const answerMs = 20_000;
/** Until what failed attaches hold in a full network is swept up. */
const roomMs = 120_000;
const lookMs = 100;

type Answer = { readonly behind: readonly string[] } | { readonly refusal: SkeinError };

export class Serving {
  constructor(private readonly world: ConvergenceWorld) {}

  async serve(): Promise<void> {
    const { workloads, hosts, networks, random, violations, nowMs, told } = this.world;
    const [host, network] = [random.pick(hosts), random.pick(networks)];
    const startMs = nowMs();
    for (;;) {
      const roomBefore = this.roomIn(network);
      const answer = await this.settled(
        workloads.attachOne(host, network).then(
          (behind): Answer => ({ behind }),
          (thrown: unknown): Answer => ({ refusal: SkeinError.from(thrown) }),
        ),
      );
      if (answer === null) return violations.report('liveness', 'a calm attach is not answered');
      told(`answered after ${Math.round(nowMs() - startMs)} ms`);
      if (!('refusal' in answer)) return this.judge(answer.behind);
      const { code, message } = answer.refusal;
      const isPatient = code === 'pool_exhausted' && nowMs() < startMs + roomMs;
      if (!isPatient) return violations.report('liveness', `a calm attach fails: ${message}`);
      // P7: nobody is told that a network is full while it has room.
      const free = Math.min(roomBefore, this.roomIn(network));
      if (free > 0) violations.report('P7', `${message}, and nobody holds ${free}`);
      await this.makeRoom(network);
    }
  }

  private judge(behind: readonly string[]): void {
    if (behind.length === 0) return;
    this.world.violations.report('P6', `a calm attach names ${behind.join(' ')} as behind`);
  }

  private roomIn(network: string): number {
    const { committed, managers } = this.world;
    const range = managers.newestStore?.range({ key: keys.addresses(network), prefix: true });
    if (range?.ok !== true) return 0;
    const records = range.reply.kvs.map(({ value }) => JSON.parse(value) as AddressRecord);
    return roomIn(committed.state.network(network)?.subnets ?? [], records);
  }

  private async makeRoom(network: string): Promise<void> {
    const { workloads, runFor } = this.world;
    const ended = await this.settled(workloads.endOneOf(network));
    if (ended !== true) await runFor(lookMs * 10);
  }

  /** Null if it does not come to its end in time. */
  private async settled<Result>(work: Promise<Result>): Promise<Result | null> {
    const { violations, nowMs, runFor } = this.world;
    const endMs = nowMs() + answerMs;
    const results: Result[] = [];
    void work.then((value) => results.push(value));
    while (results.length === 0 && violations.isClean && nowMs() < endMs) await runFor(lookMs);
    return results[0] ?? null;
  }
}

/** IPv4 addresses that nobody holds: with them a network is full long before its IPv6 ones are gone. */
export function roomIn(
  subnets: readonly { readonly cidr: string }[],
  records: readonly Pick<AddressRecord, 'state' | 'address'>[],
): number {
  const prefixes = subnets.map((subnet) => cidr(subnet.cidr)).filter(({ family }) => family === 4);
  const all = prefixes.reduce((sum, prefix) => sum + Number(usableCount(prefix)), 0);
  const held = records.filter(({ state, address }) => state === 'held' && !address.includes(':'));
  return all - held.length;
}
