// The commands that a document tells its reader to type: those of its blocks marked `sh run`, each with the comment behind it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { home } from '../support/skein-command';

export interface Command {
  readonly text: string;
  /** What the document says of it; empty: nothing. */
  readonly comment: string;
  readonly isInBackground: boolean;
}

const block = /^```sh run\n([^]*?)^```$/gm;

/** One list a block. */
export function runnableBlocks(document: string): Command[][] {
  const text = readFileSync(join(home, document), 'utf8');
  return [...text.matchAll(block)].map(([, body = '']) =>
    body
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(parseLine),
  );
}

function parseLine(line: string): Command {
  const [, typed = line, comment = ''] = /^(.*?)\s+# (.*)$/.exec(line) ?? [];
  const isInBackground = typed.trimEnd().endsWith('&');
  return { text: typed.replace(/&\s*$/, '').trim(), comment: comment.trim(), isInBackground };
}

/** Words as a shell would cut them, of lines without variables. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}
