// The language of scenarios. A file is a story in `#` lines, commands in `>` lines, and below each
// command the lines that it is expected to print. Running a file gives the file that it should have
// been.
import { changeOf, diskOf, injected, limitsOf, namesOf, placeOf } from './arguments';
import { ScenarioDisk } from './disk';
import { formatConfiguration, formatEntries, formatMessage } from './format';
import { ScenarioWorld, type Flight } from './world';

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
      case 'join':
        return world.place(id, new ScenarioDisk(), limitsOf(args.options));
      case 'tick':
        return this.repeat(Number(second ?? 1), () => world.tick(id));
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
      case 'cut':
        args.words.forEach((each) => world.cut.add(each));
        return;
      case 'heal':
        args.words.forEach((each) => world.cut.delete(each));
        return;
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
      case 'read': {
        const lease = words[2] === 'lease' ? { nowMs: world.member(id).nowMs } : undefined;
        const context = Number(second);
        world.step(id, { kind: 'readIndex', context, ...(lease && { lease }) });
        return;
      }
      case 'clock':
        world.member(id).nowMs += Number(second);
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
        return this.executeMembers(command, { words, options });
    }
  }

  private executeMembers(command: string, { words, options }: Arguments): void {
    const { world } = this;
    const id = words[0] ?? '';
    const second = words[1];
    switch (command) {
      case 'change':
        world.step(id, { kind: 'proposeConfiguration', change: changeOf(options) });
        return;
      case 'leave':
        world.step(id, { kind: 'proposeConfiguration', change: { kind: 'leave' } });
        return;
      case 'force': {
        const [incoming, learners] = [namesOf(options, 'voters'), namesOf(options, 'learners')];
        const configuration = { incoming, outgoing: [], learners };
        world.step(id, { kind: 'forceConfiguration', configuration });
        return;
      }
      case 'members': {
        const { configuration, configurationIndex } = world.member(id).raft.status();
        world.say(`${id} ${formatConfiguration(configuration)} at ${configurationIndex}`);
        return;
      }
      case 'forget':
        world.step(id, { kind: 'forgetLeader' });
        return;
      case 'unreachable':
        world.step(id, { kind: 'unreachable', peer: second ?? '' });
        return;
      default:
        return this.executeSnapshots(command, { words, options });
    }
  }

  private executeSnapshots(command: string, { words, options }: Arguments): void {
    const { world } = this;
    const id = words[0] ?? '';
    switch (command) {
      case 'snapshot':
        return world.takeSnapshot(id, Number(options.get('size') ?? 100));
      case 'compact':
        return world.compact(id, Number(words[1]));
      case 'slow-install':
        world.member(id).isInstallSlow = true;
        return;
      case 'install':
        return world.install(id, options.get('damaged') === 'yes');
      case 'damage': {
        const { disk } = world.member(id);
        disk.damage(Number(options.get('kept')), options.get('vote') === 'lost');
        return world.place(id, disk);
      }
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
      const { trace } = this.world.tick(id);
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
