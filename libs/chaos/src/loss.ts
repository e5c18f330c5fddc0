// Judges what the prober saw: which probes had a promise behind them, which of those were lost, and who answered that should
// not have. Loss counts between sandboxes that are live, whose hosts knew the way to each other, on hosts that were not harmed.

import type { Impostor } from './prober';
import type { Probe } from './probe-protocol';
import type { Held, Ledger } from './ledger';
import { policyOf } from './plan';
import type { Weather } from './weather';

/** Longest between a question and the verdict on it. */
const verdictMs = 5_000;

export interface ClassCount {
  sent: number;
  answered: number;
  lost: number;
}

export type PairClass =
  | 'same host, IPv4'
  | 'same host, IPv6'
  | 'two hosts, IPv4'
  | 'two hosts, IPv6'
  | 'fenced, leases sure'
  | 'fenced, leases in doubt'
  | 'without a promise';

export const counted: readonly PairClass[] = [
  'same host, IPv4',
  'same host, IPv6',
  'two hosts, IPv4',
  'two hosts, IPv6',
  'fenced, leases sure',
];

export class LossJudge {
  readonly classes = new Map<PairClass, ClassCount>();
  readonly losses: string[] = [];
  readonly wrongAnswers: string[] = [];
  /** Seen by hosts that had no promise: what their rows said was of an earlier time. */
  strayAnswers = 0;
  readonly #waiting: Probe[] = [];

  constructor(
    private readonly ledger: Ledger,
    private readonly weather: Weather,
    private readonly begunAt: number,
  ) {}

  take(probes: readonly Probe[]): void {
    this.#waiting.push(...probes);
  }

  /** Judges what is old enough to be judged: what was said of it meanwhile is known by then. */
  judge(now: number): void {
    const ready = this.#waiting.filter((probe) => now - probe[3] >= verdictMs);
    if (ready.length === 0) return;
    const later = this.#waiting.filter((probe) => now - probe[3] < verdictMs);
    this.#waiting.splice(0, this.#waiting.length, ...later);
    for (const probe of ready) this.#judgeOne(probe);
  }

  impostor({ address, speaker, holder, heardBy, at }: Impostor): void {
    const [other, witness] = [this.ledger.find(holder), this.ledger.find(heardBy)];
    if (other === undefined || witness === undefined) return;
    const isPromised = (other.promised.get(witness.host) ?? Infinity) <= at;
    if (!isPromised) {
      this.strayAnswers += 1;
      return;
    }
    const who = this.ledger.find(speaker)?.name ?? speaker;
    this.wrongAnswers.push(
      `${witness.name} on ${witness.host} heard ${who} speak from ${address}, which ${other.name} holds (${this.#at(at)})`,
    );
  }

  #judgeOne([fromId, toId, address, sentAt, outcome, by]: Probe): void {
    const [from, to] = [this.ledger.find(fromId), this.ledger.find(toId)];
    if (from === undefined || to === undefined) return;
    const kind = this.#classOf(from, to, address, sentAt);
    const count = this.classes.get(kind) ?? { sent: 0, answered: 0, lost: 0 };
    this.classes.set(kind, count);
    count.sent += 1;
    if (outcome === 'answered') count.answered += 1;
    else count.lost += 1;
    if (outcome === 'answered') return;
    const pair = `${from.name} on ${from.host} → ${to.name} on ${to.host}, ${address} of ${to.network}`;
    const when = this.#at(sentAt);
    if (outcome === 'other' || outcome === 'twice') {
      if (kind === 'without a promise') this.strayAnswers += 1;
      else this.wrongAnswers.push(`${pair}: answered ${outcome} ${by ?? ''} (${when})`);
    } else if (counted.includes(kind)) this.losses.push(`${pair}: ${outcome} (${when})`);
  }

  #classOf(from: Held, to: Held, address: string, sentAt: number): PairClass {
    const until = sentAt + verdictMs;
    const stands = (one: Held) =>
      one.endedAt > until && (one.detachSentAt === undefined || one.detachSentAt > until);
    const knows = (host: string, one: Held) => (one.promised.get(host) ?? Infinity) <= sentAt;
    const isSure =
      [from, to].every(stands) &&
      [from.host, to.host].every((host) => knows(host, from) && knows(host, to)) &&
      ![from.host, to.host].some((host) => this.weather.isHarmed(host, sentAt, until));
    if (!isSure) return 'without a promise';
    if (policyOf(to.network) === 'fence')
      return this.weather.leaseInDoubt(sentAt, until)
        ? 'fenced, leases in doubt'
        : 'fenced, leases sure';
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    return from.host === to.host ? `same host, ${family}` : `two hosts, ${family}`;
  }

  #at(time: number): string {
    return `${((time - this.begunAt) / 1_000).toFixed(1)} s`;
  }
}
