// skein completion: a script for the shell, made from the commands themselves. Names of the cluster's it asks for, by names-for.

import type { Command } from 'commander';
import { namesAfter } from './names';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A command's path (`network create`) and what can follow it. */
interface Place {
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly about: string }[];
  readonly options: readonly { readonly long: string; readonly about: string }[];
  /** Whether names of the cluster's can follow, and whether nothing else can, such as a file. */
  readonly names: { readonly any: boolean; readonly only: boolean };
}

export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, '');
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      return zshScript(places);
    case 'fish':
      return fishScript(places);
  }
}

function placesOf(command: Command, path: string): Place[] {
  const children = command.commands.filter((child) => !isHidden(child));
  const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((word) => ({ word, about: description })),
  );
  const place = {
    path,
    words: [
      ...children.map((child) => ({ word: child.name(), about: child.description() })),
      ...choices,
    ],
    options: command.options
      .filter((option) => option.long !== undefined && !option.hidden)
      .map((option) => ({ long: option.long ?? '', about: option.description })),
    names: namesAfter(command),
  };
  // What is known by two names is completed behind both.
  const below = children.flatMap((child) =>
    [child.name(), ...child.aliases()].flatMap((name) => placesOf(child, `${path} ${name}`.trim())),
  );
  return [place, ...below];
}

function isHidden(command: Command): boolean {
  return (command as Command & { _hidden?: boolean })._hidden === true;
}

const pathsOf = (places: readonly Place[]): string[] =>
  places.map(({ path }) => path).filter((path) => path !== '');

const namedPaths = (places: readonly Place[]): string[] =>
  places.filter(({ names }) => names.any).map(({ path }) => `"${path}"`);

function bashScript(places: readonly Place[]): string {
  const known = pathsOf(places).map((path) => `"${path}"`);
  const cases = places.map(({ path, words, options }) => {
    const all = [...words.map(({ word }) => word), ...options.map(({ long }) => long), '--help'];
    return `    "${path}") words="${all.join(' ')}" ;;`;
  });
  return `_skein() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" next word words="" names=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${known.join('|')}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$current/$path" in
    -*) ;;
    ${namedPaths(places)
      .map((path) => `*/${path}`)
      .join('|')})
      names="$("\${COMP_WORDS[0]}" names-for "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null </dev/null)"
      words="\${names:-$words}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _skein skein ./skein
`;
}

/** Its own, not bash's: what is a variable like any other there, such as `path`, has a meaning of its own here. */
function zshScript(places: readonly Place[]): string {
  const known = pathsOf(places).map((path) => `"${path}"`);
  const cases = places.map(({ path, words, options }) => {
    const offered = [
      ...words.map(({ word, about }) => quoted(word, about)),
      ...options.map(({ long, about }) => quoted(long, about)),
      quoted('--help', 'display help for command'),
    ];
    return `    ("${path}") offered=(${offered.join(' ')}) ;;`;
  });
  return `(( $+functions[compdef] )) || { autoload -U compinit && compinit -i; }
_skein() {
  local place="" next="" word=""
  local -a offered names
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${place:+$place }$word"
    case "$next" in
      (${known.join('|')}) place="$next" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  case "$PREFIX/$place" in
    (-*) ;;
    (${namedPaths(places)
      .map((path) => `*/${path}`)
      .join('|')})
      names=(\${(f)"$("$words[1]" names-for "\${(@)words[2,CURRENT-1]}" 2>/dev/null </dev/null)"})
      (( $#names )) && offered=("\${(@)names}") ;;
  esac
  _describe -t commands skein offered || _files
}
compdef _skein skein ./skein
`;
}

const quoted = (word: string, about: string): string =>
  `'${word}:${about.replaceAll("'", `'\\''`).replaceAll('\n', ' ')}'`;

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, options, names }) => {
    const when = `-n 'test "$(__skein_path)" = "${path}"'`;
    return [
      ...words.map(
        ({ word, about }) => `complete -c skein -f ${when} -a ${word} -d '${plain(about)}'`,
      ),
      ...options.map(
        ({ long, about }) => `complete -c skein ${when} -l ${long.slice(2)} -d '${plain(about)}'`,
      ),
      ...(names.any
        ? [`complete -c skein ${names.only ? '-f ' : ''}${when} -a '(__skein_names)'`]
        : []),
    ];
  });
  return `function __skein_path
  set -l words (commandline -opc)
  set -e words[1]
  set -l path ''
  for word in $words
    set -l next (string trim -- "$path $word")
    if contains -- $next ${pathsOf(places)
      .map((path) => `'${path}'`)
      .join(' ')}
      set path $next
    end
  end
  echo $path
end
function __skein_names
  set -l words (commandline -opc)
  $words[1] names-for $words[2..-1] 2>/dev/null </dev/null
end
${lines.join('\n')}
`;
}

function plain(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', ' ');
}
