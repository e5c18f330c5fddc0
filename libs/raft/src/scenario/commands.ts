// The language of scenarios. A file is a story in `#` lines, commands in `>` lines, and below each
// command the lines that it is expected to print. Running a file gives the file that it should have
// been.
import type { AppendRequest, Heartbeat, RaftMessage, VoteRequest } from '../messages';
import type { LogEntry } from '../types';
import { formatEntries, formatMessage } from './format';
import { ScenarioWorld, type Flight, type Limits } from './world';

/** Runs every command of `text` and returns the text with the lines that the commands print. */
export function runScenario(text: string): string {
  const runner = new ScenarioRunner();
  const given: string[] = [];
  let isOutput = false;
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('> ')) {
      if (isOutput) given.push('');
      given.push(line, ...runner.run(line.slice(2)));
      isOutput = true;
    } else if (line === '' || line.startsWith('#')) {
      if (line !== '' && isOutput) given.push('');
      if (line !== '' || !isOutput) given.push(line);
      isOutput = false;
      if (line === '') given.push('');
    }
  }
  return `${given
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

interface Arguments {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

class ScenarioRunner {
  private world = new ScenarioWorld([], {});

  run(line: string): string[] {
    const [command = '', ...rest] = line.split(' ').filter((word) => word !== '');
    const words = rest.filter((word) => !word.includes('='));
    const options = new Map(
      rest
        .filter((word) => word.includes('='))
        .map((word) => word.split('=', 2) as [string, string]),
    );
    const isManyTicks = command === 'tick' && Number(words[1] ?? 1) > 1;
    this.world.isVerbose = command !== 'settle' && command !== 'elect' && !isManyTicks;
    try {
      this.execute(command, { words, options });
    } catch (error) {
      this.world.say(`error: ${error instanceof Error ? error.message : String(error)}`);
    }
    const lines = this.world.takeLines();
    const shown =
      command === 'elect' ? lines.filter((line) => line.includes(' role leader ')) : lines;
    return shown.length === 0 ? ['-'] : shown;
  }

  private execute(command: string, args: Arguments): void {
    const { world } = this;
    const id = args.words[0] ?? '';
    const second = args.words[1];
    switch (command) {
      case 'cluster':
        this.world = new ScenarioWorld(args.words, limitsOf(args.options));
        return;
      case 'log':
        return world.place(id, diskOf(args.options));
      case 'tick':
        return this.repeat(Number(second ?? 1), () => world.step(id, { kind: 'tick' }));
      case 'campaign':
        return this.campaign(id);
      case 'elect':
        this.campaign(id);
        return world.settle();
      case 'settle':
        return world.settle();
      case 'deliver':
        return this.take(args).forEach((flight) => world.deliver(flight));
      case 'drop':
        return this.drop(args);
      case 'repeat':
        return this.select(args).forEach((flight) => world.deliver(flight));
      case 'inject':
        return world.deliver({ to: id, ...injected(second ?? '', args.options) });
      default:
        return this.executeDriver(command, args);
    }
  }

  private executeDriver(command: string, { words, options }: Arguments): void {
    const { world } = this;
    const id = words[0] ?? '';
    const second = words[1];
    switch (command) {
      case 'propose': {
        const proposals = words.slice(1).map((word) => ({ data: new TextEncoder().encode(word) }));
        world.step(id, { kind: 'propose', proposals });
        return;
      }
      case 'read':
        world.step(id, { kind: 'readIndex', context: Number(second) });
        return;
      case 'transfer':
        world.step(id, { kind: 'transferLeadership', to: second ?? null });
        return;
      case 'stall':
        world.step(id, { kind: 'diskStalled' });
        return;
      case 'slow-disk':
        world.member(id).isSlow = true;
        return;
      case 'sync':
        return world.completeWrites(id, Number(second ?? Infinity));
      case 'complete':
        world.step(id, {
          kind: 'appended',
          id: Number(options.get('write')),
          ...placeOf(options.get('last') ?? '0@0'),
        });
        return;
      case 'crash':
        return world.crash(id, Number(options.get('kept') ?? 0));
      case 'status':
        return (words.length === 0 ? world.ids : words).forEach((each) =>
          world.status(each).forEach((line) => world.say(line)),
        );
      case 'logs':
        return world.ids.forEach((each) =>
          world.say(`${each} ${formatEntries(world.member(each).disk.entries)}`),
        );
      default:
        throw new Error(`no command ${command}`);
    }
  }

  private drop(args: Arguments): void {
    const counts = new Map<string, number>();
    for (const { from, to, message } of this.take(args)) {
      const line = `${from} > ${to} ${formatMessage(message)}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    for (const [line, count] of counts)
      this.world.say(count === 1 ? `lost ${line}` : `lost ${count}x ${line}`);
  }

  private repeat(times: number, run: () => void): void {
    for (let i = 0; i < times; i += 1) run();
  }

  /** Time passes for one member until it campaigns. */
  private campaign(id: string): void {
    for (let ticks = 0; ticks < 100; ticks += 1) {
      const { trace } = this.world.step(id, { kind: 'tick' });
      if (trace.some((fact) => fact.kind === 'campaignStarted')) return;
    }
    throw new Error(`${id} does not campaign`);
  }

  /** Flights that match `from>to`, `>to`, `from>` or everything, and `kind=`. */
  private select({ words, options }: Arguments): Flight[] {
    const [from = '', to = ''] = (words[0] ?? '>').split('>');
    const kind = options.get('kind');
    return this.world.flights.filter(
      (flight) =>
        (from === '' || flight.from === from) &&
        (to === '' || flight.to === to) &&
        (kind === undefined || flight.message.kind === kind),
    );
  }

  private take(args: Arguments): Flight[] {
    const taken = this.select(args).slice(0, Number(args.options.get('count') ?? Infinity));
    this.world.flights = this.world.flights.filter((flight) => !taken.includes(flight));
    return taken;
  }
}

function limitsOf(options: ReadonlyMap<string, string>): Limits {
  const limits: Record<string, number> = {};
  for (const [name, value] of options) limits[name] = Number(value);
  return limits;
}

function termsOf(list: string): number[] {
  return list === '' ? [] : list.split(',').map(Number);
}

function entriesOf(terms: readonly number[], firstIndex: number): LogEntry[] {
  return terms.map((term, i) => ({
    index: firstIndex + i,
    term,
    kind: 'command',
    data: new TextEncoder().encode(`${firstIndex + i}@${term}`),
  }));
}

function diskOf(options: ReadonlyMap<string, string>): {
  hardState: { term: number; vote: string | null; commit: number };
  entries: LogEntry[];
} {
  const terms = termsOf(options.get('terms') ?? '');
  const term = Number(options.get('term') ?? terms[terms.length - 1] ?? 0);
  const vote = options.get('vote') ?? null;
  const hardState = { term, vote, commit: Number(options.get('commit') ?? 0) };
  return { hardState, entries: entriesOf(terms, 1) };
}

function placeOf(place: string): { lastIndex: number; lastTerm: number } {
  const [lastIndex = 0, lastTerm = 0] = place.split('@').map(Number);
  return { lastIndex, lastTerm };
}

/** A message made by hand: `inject n2 append from=n1 term=2 prev=3@1 commit=2 terms=2,2`. */
function injected(
  kind: string,
  options: ReadonlyMap<string, string>,
): { from: string; message: RaftMessage } {
  const from = options.get('from') ?? '';
  const term = Number(options.get('term'));
  const commit = Number(options.get('commit') ?? 0);
  switch (kind) {
    case 'append': {
      const { lastIndex: prevIndex, lastTerm: prevTerm } = placeOf(options.get('prev') ?? '0@0');
      const entries = entriesOf(termsOf(options.get('terms') ?? ''), prevIndex + 1);
      const message: AppendRequest = { kind, from, term, prevIndex, prevTerm, commit, entries };
      return { from, message };
    }
    case 'heartbeat': {
      const message: Heartbeat = {
        kind,
        from,
        term,
        commit,
        round: Number(options.get('round') ?? 0),
      };
      return { from, message };
    }
    case 'preVote':
    case 'vote': {
      const transfer = options.get('order') === 'yes';
      const last = placeOf(options.get('last') ?? '0@0');
      const message: VoteRequest = { kind, from, term, ...last, transfer };
      return { from, message };
    }
    case 'preVoteResponse':
    case 'voteResponse':
      return { from, message: { kind, from, term, granted: options.get('granted') === 'yes' } };
    case 'appendResponse': {
      const index = Number(options.get('matches'));
      const message = {
        kind,
        from,
        term,
        accepted: true,
        index,
        hintIndex: 0,
        hintTerm: 0,
      } as const;
      return { from, message };
    }
    case 'heartbeatResponse':
      return { from, message: { kind, from, term, round: Number(options.get('round') ?? 0) } };
    case 'timeoutNow':
      return { from, message: { kind, from, term } };
    default:
      throw new Error(`cannot inject ${kind}`);
  }
}
