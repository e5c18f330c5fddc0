// The outcomes of the runs as the paper's tables: a row a configuration, shares of plain SWIM's, the published figures and
// what is asked of ours. Pure arithmetic.

import { lifeguardConfigurations, type LifeguardConfiguration } from './lifeguard-configurations';
import { fullScale, type LifeguardOutcome } from './lifeguard-paper';

/** In per cent of plain SWIM's. */
export interface LifeguardShares {
  readonly falsePositives: number | null;
  readonly atHealthy: number | null;
  readonly messages: number | null;
  readonly bytes: number | null;
}

export interface Percentiles {
  readonly median: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
}

export interface LifeguardRow {
  readonly configuration: LifeguardConfiguration;
  readonly falsePositives: number;
  readonly atHealthy: number;
  readonly messages: number;
  readonly bytes: number;
  readonly shares: LifeguardShares;
  /** Null for what the paper did not measure. */
  readonly published: (LifeguardShares & PublishedCounts) | null;
  /** False positives, and those at healthy members, by concurrency. */
  readonly byConcurrency: Readonly<Record<number, { falsePositives: number; atHealthy: number }>>;
  /** Milliseconds from the stall to the first healthy member's verdict, and to the last's. */
  readonly firstMs: Percentiles;
  readonly allMs: Percentiles;
  /** Stalled members behind these times, and those that not every healthy member declared in time. */
  readonly stalls: number;
  readonly undeclared: number;
}

interface PublishedCounts {
  readonly count: number;
  readonly countAtHealthy: number;
}

type Paper = readonly [
  count: number,
  countAtHealthy: number,
  falsePositives: number,
  atHealthy: number,
  messages: number,
  bytes: number,
];

const paper: Partial<Record<LifeguardConfiguration, Paper>> = {
  SWIM: [339_002, 1_326, 100, 100, 100, 100],
  'LHA-Probe': [229_574, 436, 67.72, 32.88, 98.46, 90.03],
  'LHA-Suspicion': [10_174, 89, 3.0, 6.71, 111.31, 106.52],
  'Buddy System': [318_935, 591, 94.08, 44.57, 100.07, 99.01],
  Lifeguard: [5_193, 25, 1.53, 1.89, 110.59, 97.97],
};

export function lifeguardReport(outcomes: readonly LifeguardOutcome[]): LifeguardRow[] {
  const sums = lifeguardConfigurations.map((configuration) =>
    sumOf(
      configuration,
      outcomes.filter((outcome) => outcome.configuration === configuration),
    ),
  );
  const plain = sums[0];
  return sums.map((sum) => ({
    ...sum,
    shares: {
      falsePositives: share(sum.falsePositives, plain?.falsePositives),
      atHealthy: share(sum.atHealthy, plain?.atHealthy),
      messages: share(sum.messages, plain?.messages),
      bytes: share(sum.bytes, plain?.bytes),
    },
    published: publishedOf(sum.configuration),
  }));
}

/** What the paper reached is asked of ours; null: another size, or plain SWIM gave nothing to compare with. */
export function lifeguardGoals(
  rows: readonly LifeguardRow[],
  memberCount: number,
): { goal: string; share: number | null; met: boolean | null }[] {
  const lifeguard = rows.find(({ configuration }) => configuration === 'Lifeguard');
  const [, , falsePositives, atHealthy] = paper.Lifeguard as Paper;
  return [
    { name: 'false positives', bound: falsePositives, share: lifeguard?.shares.falsePositives },
    { name: 'at healthy members', bound: atHealthy, share: lifeguard?.shares.atHealthy },
  ].map(({ name, bound, share: found = null }) => ({
    goal: `Lifeguard's ${name} ≤ ${bound} % of plain SWIM's`,
    share: found,
    met: found === null || memberCount !== fullScale.memberCount ? null : found <= bound,
  }));
}

type Sum = Omit<LifeguardRow, 'shares' | 'published'>;

function sumOf(configuration: LifeguardConfiguration, outcomes: readonly LifeguardOutcome[]): Sum {
  const total = (field: 'falsePositives' | 'atHealthy' | 'messages' | 'bytes'): number =>
    outcomes.reduce((sum, outcome) => sum + outcome[field], 0);
  const byConcurrency: Record<number, { falsePositives: number; atHealthy: number }> = {};
  for (const { stalledCount, falsePositives, atHealthy } of outcomes) {
    const sum = (byConcurrency[stalledCount] ??= { falsePositives: 0, atHealthy: 0 });
    sum.falsePositives += falsePositives;
    sum.atHealthy += atHealthy;
  }
  const all = outcomes.flatMap(({ allMs }) => allMs);
  return {
    configuration,
    falsePositives: total('falsePositives'),
    atHealthy: total('atHealthy'),
    messages: total('messages'),
    bytes: total('bytes'),
    byConcurrency,
    firstMs: percentiles(outcomes.flatMap(({ firstMs }) => firstMs)),
    allMs: percentiles(all),
    stalls: all.length,
    undeclared: all.filter((time) => time === null).length,
  };
}

function share(part: number, whole: number | undefined): number | null {
  return whole === undefined || whole === 0 ? null : (100 * part) / whole;
}

function publishedOf(configuration: LifeguardConfiguration): LifeguardRow['published'] {
  const found = paper[configuration];
  if (found === undefined) return null;
  const [count, countAtHealthy, falsePositives, atHealthy, messages, bytes] = found;
  return { count, countAtHealthy, falsePositives, atHealthy, messages, bytes };
}

/** By nearest rank; who was not declared counts as later than everybody. */
function percentiles(times: readonly (number | null)[]): Percentiles {
  const sorted = times
    .map((time) => time ?? Infinity)
    .toSorted((one, other) => (one < other ? -1 : 1));
  const at = (part: number): number | null => {
    const found = sorted[Math.ceil(part * sorted.length) - 1];
    return found === undefined || found === Infinity ? null : Math.round(found);
  };
  return { median: at(0.5), p99: at(0.99), p999: at(0.999) };
}
