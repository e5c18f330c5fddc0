// skein names-for: what a shell's completion asks for names of the cluster's. Whatever goes wrong, it says nothing and is brief.

import type { Argument, Command } from 'commander';
import { Api, path, type Json } from '../client/api';
import { findGateway } from '../client/address';

/** From the start of the process on: whoever has pressed Tab waits. */
const limitMs = 1_000;
const mostNames = 1_000;
/** Others would mean something of their own to a shell. */
const plainName = /^[\w.-]+$/;

type Noun = 'network' | 'endpoint' | 'service' | 'host' | 'member';

export interface Sought {
  readonly noun: Noun;
  /** Whose endpoints or services. */
  readonly network?: string;
}

const nounsOfArguments: Readonly<Record<string, Noun>> = {
  network: 'network',
  endpoint: 'endpoint',
  from: 'endpoint',
  to: 'endpoint',
  service: 'service',
  host: 'host',
  member: 'member',
  replica: 'member',
  replicas: 'member',
};

const nounsOfOptions: Readonly<Record<string, Noun>> = {
  '--network': 'network',
  '--service': 'service',
  '--host': 'host',
  '--replica': 'member',
};

const nounOf = (argument: Argument | undefined): Noun | undefined =>
  argument === undefined ? undefined : nounsOfArguments[argument.name()];

/** Whether names of the cluster's can follow somewhere, and whether nothing else can, no option either. */
export function namesAfter(command: Command): { readonly any: boolean; readonly only: boolean } {
  const named = command.registeredArguments.filter((argument) => nounOf(argument) !== undefined);
  const isOption = command.options.some(({ long }) => nounsOfOptions[long ?? ''] !== undefined);
  const any = named.length > 0 || isOption;
  return { any, only: any && named.length === command.registeredArguments.length };
}

/** What the word after these is a name of; undefined if it is none of the cluster's. */
export function soughtAt(program: Command, words: readonly string[]): Sought | undefined {
  let command = program;
  const operands: string[] = [];
  let optionNoun: Noun | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    const option = command.options.find(({ short, long }) => word === short || word === long);
    if (option?.required === true) {
      if (at === words.length - 1) {
        optionNoun = nounsOfOptions[option.long ?? ''];
        if (optionNoun === undefined) return undefined;
      }
      at += 1;
    } else if (!word.startsWith('-')) {
      const child = command.commands.find((each) => namesOfCommand(each).includes(word));
      if (operands.length === 0 && child !== undefined) command = child;
      else operands.push(word);
    }
  }
  const taken = command.registeredArguments;
  const last = taken.at(-1);
  const next = taken[operands.length] ?? (last?.variadic === true ? last : undefined);
  const noun = optionNoun ?? nounOf(next);
  if (noun === undefined) return undefined;
  const network = operands[taken.findIndex((argument) => nounOf(argument) === 'network')];
  const isOfNetwork = noun === 'endpoint' || noun === 'service';
  if (!isOfNetwork) return { noun };
  return network === undefined ? undefined : { noun, network };
}

const namesOfCommand = (command: Command): string[] => [command.name(), ...command.aliases()];

export async function namesOf(api: Api, sought: Sought, withinMs: number): Promise<string[]> {
  try {
    const names = await ask(api, sought, withinMs);
    return names.filter((name) => plainName.test(name));
  } catch {
    return [];
  }
}

async function ask(api: Api, { noun, network = '' }: Sought, withinMs: number): Promise<string[]> {
  const list = async (place: string, field: string, key: string): Promise<string[]> => {
    const query = noun === 'member' ? {} : { limit: mostNames };
    const answer = await api.ask(place, query, withinMs);
    return answer[field].map((each: Json) => String(each[key]));
  };
  switch (noun) {
    case 'network':
      return list('/v1/networks', 'networks', 'name');
    case 'endpoint':
      return list(path`/v1/networks/${network}/endpoints`, 'endpoints', 'name');
    case 'service':
      return list(path`/v1/networks/${network}/services`, 'services', 'name');
    case 'host':
      return list('/v1/hosts', 'hosts', 'id');
    case 'member':
      return list('/v1/cluster/members', 'members', 'id');
  }
}

/** Ends the process: a connection that is still being made would keep it. */
export async function printNames(program: Command, words: readonly string[]): Promise<void> {
  const sought = soughtAt(program, words);
  if (sought === undefined) return;
  const api = new Api(findGateway(process.env, process.cwd()));
  const left = Math.max(1, limitMs - process.uptime() * 1_000);
  const names = await namesOf(api, sought, Math.floor(left));
  process.stdout.write(names.map((name) => `${name}\n`).join(''), () => process.exit());
}
