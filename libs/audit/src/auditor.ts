// An audit as a whole: looks at the store, the actors and the hosts' kernels, looks once more where something differs, and puts
// right what is safe, each with a transaction that compares what it was judged by. Takes no lock and stops nobody.

import { stateRoot, type AuditFinding, type KeyValue } from '@skein/contracts';
import { beliefDigests, entriesOfBucket, type BeliefEntry } from '@skein/ipam';
import type { Logger } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import { elapsed, type Time } from '@skein/time';
import { auditStateOf, type AuditState } from './audit-state';
import { actorFindings, beliefsOf, kernelFindings, type KernelBelief } from './beliefs';
import { auditFindings } from './find';
import { confirmed, type Finding } from './finding';

export interface ActorBelief {
  readonly isSettled: boolean;
  readonly digests: readonly string[];
  readonly entries?: readonly BeliefEntry[] | undefined;
}

export interface AuditorOptions {
  readonly store: Store;
  readonly time: Pick<Time, 'after' | 'wallMs'>;
  readonly logger: Logger;
  readonly actors: {
    /** Null: nobody has the activation. */
    belief(networkId: string, bucket?: number): Promise<ActorBelief | null>;
    reload(networkId: string): Promise<void>;
  };
  readonly kernels: {
    /** Null: its agent does not answer. */
    belief(host: string, networkId: string): Promise<KernelBelief | null>;
  };
}

export interface AuditWish {
  readonly networkId?: string | undefined;
  readonly repair: boolean;
  readonly graceMs: number;
  readonly limit: number;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly revision: number;
  readonly looks: number;
  readonly examined: Record<string, number>;
  readonly silent: string[];
  readonly counts: Record<string, number>;
  readonly repaired: number;
  readonly findings: AuditFinding[];
}

interface Look {
  readonly state: AuditState;
  readonly findings: Finding[];
  readonly actors: number;
  readonly kernels: number;
  readonly silent: string[];
}

/** Between two looks: longer than a message and a commit are under way. What takes longer has `graceMs`. */
export const betweenLooksMs = 1_000;
const pageLimit = 1_000;
/** Agents asked at once. */
const askedAtOnce = 8;

export class Auditor {
  readonly #options: AuditorOptions;

  constructor(options: AuditorOptions) {
    this.#options = options;
  }

  async audit(wish: AuditWish): Promise<AuditReport> {
    const { time, logger } = this.#options;
    const first = await this.#look(wish);
    if (first.findings.length === 0) return report(first, [], { wish, looks: 1 });
    await elapsed(time, betweenLooksMs);
    const second = await this.#look(wish);
    const findings = confirmed(first.findings, second.findings);
    const settled = wish.repair ? await this.#repair(findings) : findings.map(unrepaired);
    const done = report(second, settled, { wish, looks: 2 });
    if (findings.length > 0) {
      const { counts, repaired } = done;
      logger.warn({ counts, repaired }, 'an audit has found what differs');
    }
    return done;
  }

  async #look(wish: AuditWish): Promise<Look> {
    const { kvs, revision } = await this.#readAll();
    const state = auditStateOf(kvs, revision);
    const limits = { now: this.#options.time.wallMs(), graceMs: wish.graceMs };
    const findings = auditFindings(state, limits, wish.networkId);
    const actors = await this.#lookAtActors(state, wish);
    const kernels = await this.#lookAtKernels(state, wish);
    findings.push(...actors.findings, ...kernels.findings);
    const { silent } = kernels;
    return { state, findings, actors: actors.count, kernels: kernels.count, silent };
  }

  /** Page by page, as of one revision. */
  async #readAll(): Promise<{ kvs: KeyValue[]; revision: number }> {
    const { store } = this.#options;
    const rangeEnd = `${stateRoot}\uffff`;
    const kvs: KeyValue[] = [];
    let revision: number | undefined;
    for (let key: string = stateRoot; ;) {
      const at = revision === undefined ? {} : { revision };
      const page = await store.range({ key, rangeEnd, limit: pageLimit, ...at });
      revision ??= page.revision;
      kvs.push(...page.kvs);
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return { kvs, revision };
      key = `${last.key}\0`;
    }
  }

  async #lookAtActors(state: AuditState, { networkId }: AuditWish) {
    const { actors } = this.#options;
    const findings: Finding[] = [];
    let count = 0;
    for (const network of state.networks.values()) {
      if (network.record === undefined || (networkId ?? network.networkId) !== network.networkId) {
        continue;
      }
      const belief = await actors.belief(network.networkId);
      if (belief === null || !belief.isSettled) continue;
      count += 1;
      const stored = beliefsOf(network);
      const digests = beliefDigests(stored);
      for (const [bucket, digest] of digests.entries()) {
        if (digest === belief.digests[bucket]) continue;
        const own = await actors.belief(network.networkId, bucket);
        if (own?.isSettled !== true) continue;
        const right = entriesOfBucket(stored, bucket);
        findings.push(...actorFindings(network, right, own.entries ?? []));
      }
    }
    return { findings, count };
  }

  async #lookAtKernels(state: AuditState, { networkId }: AuditWish) {
    const { kernels } = this.#options;
    const asked: { host: string; networkId: string }[] = [];
    for (const network of state.networks.values()) {
      if ((networkId ?? network.networkId) !== network.networkId) continue;
      const hosts = new Set([...network.endpoints.values()].map(({ record }) => record.host));
      for (const host of hosts) {
        if (state.hosts.get(host)?.record.state !== 'up') continue;
        asked.push({ host, networkId: network.networkId });
      }
    }
    const findings: Finding[] = [];
    const silent = new Set<string>();
    for (let start = 0; start < asked.length; start += askedAtOnce) {
      const some = asked.slice(start, start + askedAtOnce);
      const beliefs = await Promise.all(
        some.map(async (one) =>
          silent.has(one.host) ? null : kernels.belief(one.host, one.networkId),
        ),
      );
      for (const [index, one] of some.entries()) {
        const belief = beliefs[index];
        const network = state.networks.get(one.networkId);
        if (belief == null || network === undefined) silent.add(one.host);
        else findings.push(...kernelFindings(network, belief));
      }
    }
    return { findings, count: asked.length, silent: [...silent] };
  }

  async #repair(findings: readonly Finding[]): Promise<AuditFinding[]> {
    const { store, actors } = this.#options;
    const outcomes = new Map<string, AuditFinding['outcome']>();
    const stale = new Set<string>();
    const settled: AuditFinding[] = [];
    for (const finding of findings) {
      const { kind, networkId, repair } = finding;
      if (repair === undefined || kind === 'actor_differs') {
        if (kind === 'actor_differs' && networkId !== undefined) stale.add(networkId);
        const outcome = kind === 'actor_differs' ? { outcome: 'repaired' as const } : {};
        settled.push({ ...unrepaired(finding), ...outcome });
        continue;
      }
      // Several findings may share a repair: the table of subnets is written once.
      const id = JSON.stringify(repair.success);
      if (!outcomes.has(id)) {
        const { compare, success } = repair;
        const { succeeded } = await store.txn({ compare: [...compare], success: [...success] });
        outcomes.set(id, succeeded ? 'repaired' : 'moved');
        if (succeeded && networkId !== undefined) stale.add(networkId);
      }
      const outcome = outcomes.get(id) ?? 'moved';
      settled.push({ ...told(finding), outcome, repair: repair.does });
    }
    // What was written here no actor knows of.
    for (const networkId of stale) await actors.reload(networkId);
    return settled;
  }
}

function told({ kind, subject, networkId, host, message }: Finding): Omit<AuditFinding, 'outcome'> {
  return {
    kind,
    subject,
    message,
    ...(networkId === undefined ? {} : { networkId }),
    ...(host === undefined ? {} : { host }),
  };
}

function unrepaired(finding: Finding): AuditFinding {
  const { kind, repair } = finding;
  const does = kind === 'actor_differs' ? 'the actor reads it anew' : repair?.does;
  if (does === undefined) return { ...told(finding), outcome: 'person' };
  return { ...told(finding), outcome: 'repairable', repair: does };
}

function report(
  { state, actors, kernels, silent }: Look,
  findings: readonly AuditFinding[],
  { wish, looks }: { wish: AuditWish; looks: number },
): AuditReport {
  const networks = [...state.networks.values()].filter(
    ({ networkId }) => (wish.networkId ?? networkId) === networkId,
  );
  const sum = (of: 'endpoints' | 'addresses' | 'names' | 'macs'): number =>
    networks.reduce((total, network) => total + network[of].size, 0);
  const counts: Record<string, number> = {};
  for (const { kind } of findings) counts[kind] = (counts[kind] ?? 0) + 1;
  const repaired = findings.filter(({ outcome }) => outcome === 'repaired').length;
  return {
    ok: findings.length === repaired,
    revision: state.revision,
    looks,
    examined: {
      networks: networks.length,
      hosts: state.hosts.size,
      endpoints: sum('endpoints'),
      addresses: sum('addresses'),
      names: sum('names'),
      macs: sum('macs'),
      actors,
      kernels,
    },
    silent: silent.map((host) => state.hosts.get(host)?.record.name ?? host),
    counts,
    repaired,
    findings: findings.slice(0, wish.limit),
  };
}
