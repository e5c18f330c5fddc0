// skein completion: a script for the shell, made from the commands themselves.

import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A command's path (`network create`) and what can follow it. */
interface Place {
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly about: string }[];
  readonly options: readonly { readonly long: string; readonly about: string }[];
}

export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, '');
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`;
    case 'fish':
      return fishScript(places);
  }
}

function placesOf(command: Command, path: string): Place[] {
  const children = command.commands.filter((child) => !isHidden(child));
  const place = {
    path,
    words: children.map((child) => ({ word: child.name(), about: child.description() })),
    options: command.options
      .filter((option) => option.long !== undefined && !option.hidden)
      .map((option) => ({ long: option.long ?? '', about: option.description })),
  };
  const below = children.flatMap((child) => placesOf(child, `${path} ${child.name()}`.trim()));
  return [place, ...below];
}

function isHidden(command: Command): boolean {
  return (command as Command & { _hidden?: boolean })._hidden === true;
}

function bashScript(places: readonly Place[]): string {
  const known = places.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  const cases = places.map(({ path, words, options }) => {
    const all = [...words.map(({ word }) => word), ...options.map(({ long }) => long), '--help'];
    return `    "${path}") words="${all.join(' ')}" ;;`;
  });
  return `_skein() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" next word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${known.join('|')}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _skein skein ./skein
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, options }) => {
    const nouns = path === '' ? [] : path.split(' ');
    const seen = nouns.map((noun) => `__fish_seen_subcommand_from ${noun}`);
    const not =
      words.length === 0
        ? []
        : [`not __fish_seen_subcommand_from ${words.map(({ word }) => word).join(' ')}`];
    const condition = [...seen, ...not].join('; and ');
    const when = condition === '' ? '' : ` -n '${condition}'`;
    return [
      ...words.map(
        ({ word, about }) => `complete -c skein -f${when} -a ${word} -d '${plain(about)}'`,
      ),
      ...options.map(
        ({ long, about }) => `complete -c skein${when} -l ${long.slice(2)} -d '${plain(about)}'`,
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function plain(text: string): string {
  return text.replaceAll("'", "\\'").replaceAll('\n', ' ');
}
