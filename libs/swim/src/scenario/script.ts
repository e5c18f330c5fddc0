// The scenario language: blocks of commands, `----`, and the text that they are expected to give. Runs a script and
// returns it with the text that it gave. Reads no files. Tests only.

import { swimConfig, type SwimConfig, type SwimPreset } from '../config';
import type { SwimMessage } from '../message';
import { ScenarioWorld, type Shown } from './world';

/** `# …` lines are the story. A block is commands, a line `----`, expected lines, and an empty line. */
export function runScript(text: string): string {
  const runner = new ScriptRunner();
  const output: string[] = [];
  let isExpected = false;
  for (const line of text.trimEnd().split('\n')) {
    if (isExpected && line !== '') continue;
    isExpected = false;
    output.push(line);
    if (line === '----') {
      isExpected = true;
      output.push(...runner.takeLines());
    } else if (line !== '' && !line.startsWith('#')) {
      runner.command(line);
    }
  }
  return `${output.join('\n')}\n`;
}

class ScriptRunner {
  #differences: Partial<SwimConfig> = {};
  #preset: SwimPreset = 'lan';
  #world: ScenarioWorld | null = null;

  takeLines(): string[] {
    const lines = this.world.lines.splice(0);
    return lines.length === 0 ? ['nothing'] : lines;
  }

  get world(): ScenarioWorld {
    this.#world ??= new ScenarioWorld(swimConfig(this.#preset, this.#differences));
    return this.#world;
  }

  command(line: string): void {
    const [verb = '', ...words] = line.split(/\s+/);
    switch (verb) {
      case 'preset':
        this.#preset = words[0] as SwimPreset;
        return;
      case 'set':
        this.#differences = {
          ...this.#differences,
          [words[0] as string]: JSON.parse(words[1] as string),
        };
        return;
      case 'show':
        this.world.shown = new Set(words as Shown[]);
        return;
      case 'watch':
        this.world.watched = words[0] === 'all' ? null : new Set(words);
        return;
      case 'settle':
        return this.#quietly(() => this.world.run(Number(words[0])));
      case 'run':
        return this.world.run(Number(words[0]));
      case 'tell':
        return this.#tell(line);
      default:
        return this.#memberCommand(verb, words);
    }
  }

  #memberCommand(verb: string, words: readonly string[]): void {
    const { world } = this;
    const [first = '', ...rest] = words;
    const { now } = world;
    switch (verb) {
      case 'start':
        return words.forEach((name) => world.start(name));
      case 'start-at':
        return world.start(first, world.addressOf(rest[0] as string));
      case 'kill':
        return words.forEach((name) => world.stop(name, 'killed'));
      case 'pause':
        return words.forEach((name) => world.stop(name, 'paused'));
      case 'resume':
        return words.forEach((name) => world.resume(name));
      case 'join': {
        const addresses = rest.map((name) => world.addressOf(name));
        return world.input(first, { kind: 'join', now, addresses });
      }
      case 'leave':
        return world.input(first, { kind: 'leave', now });
      case 'tag':
        return world.input(first, {
          kind: 'updateTags',
          now,
          tags: { [rest[0] ?? '']: rest[1] ?? '' },
        });
      case 'members':
        return words.forEach((name) => world.members(name));
      case 'cut':
        return world.cut(pairs(first, rest).flatMap((way) => [`${way} datagram`, `${way} stream`]));
      case 'cut-datagrams':
        return world.cut(pairs(first, rest).map((way) => `${way} datagram`));
      case 'heal':
        return world.heal();
      default:
        throw new Error(`unknown command ${verb}`);
    }
  }

  /** `tell a from c: suspect b 1 by d`, `alive b 2`, `dead b 1 by c`, `left b 1`, `table alive b 1, dead d 1`. */
  #tell(line: string): void {
    const match = /^tell (\S+) from (\S+): (.+)$/.exec(line);
    if (match === null) throw new Error(`malformed: ${line}`);
    const [, name = '', from = '', what = ''] = match;
    this.world.tell(name, from, [this.#message(from, what)]);
  }

  #message(from: string, what: string): SwimMessage {
    const [kind = '', ...rest] = what.split(' ');
    if (kind === 'table') {
      const members = rest
        .join(' ')
        .split(', ')
        .map((entry) => {
          const [state = '', name = '', incarnation = ''] = entry.split(' ');
          return { ...this.#identity(name, incarnation), state: state as 'alive' };
        });
      return { kind: 'pushPull', phase: 'reply', source: from, members };
    }
    const [name = '', incarnation = '', word, accuser = ''] = rest;
    if (kind === 'alive' && word === 'at') {
      return { kind, ...this.#identity(name, incarnation), address: this.world.addressOf(accuser) };
    }
    if (kind === 'alive') return { kind, ...this.#identity(name, incarnation) };
    if (kind === 'left') {
      return { kind: 'dead', name, incarnation: Number(incarnation), accuser: name };
    }
    if (kind !== 'suspect' && kind !== 'dead') throw new Error(`unknown message ${kind}`);
    return { kind, name, incarnation: Number(incarnation), accuser };
  }

  #identity(name: string, incarnation: string) {
    const meta = { bootId: 'ghost', tags: {} };
    return { name, address: this.world.addressOf(name), incarnation: Number(incarnation), meta };
  }

  #quietly(act: () => void): void {
    const kept = this.world.lines.length;
    act();
    this.world.lines.length = kept;
  }
}

function pairs(first: string, others: readonly string[]): string[] {
  return others.flatMap((other) => [`${first}>${other}`, `${other}>${first}`]);
}
