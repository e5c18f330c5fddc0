// The commands that a document tells its reader to type: those of its shell blocks, each with the comment behind it. A block marked
// `sh run` is typed on a cluster that runs, one marked `sh own` on a cluster that the reader starts; others are looked at elsewhere.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { home } from '../support/skein-command';

export interface Command {
  readonly text: string;
  /** What the document says of it; empty: nothing. */
  readonly comment: string;
  /** What the reader is promised to see: the part of the comment behind an arrow. */
  readonly shows: string;
  /** Whether the document says that it asks before it acts. */
  readonly asks: boolean;
  readonly isInBackground: boolean;
}

export type Mark = 'run' | 'own' | '';

const block = /^```sh ?(.*)\n([^]*?)^```$/gm;

/** One list a block of this mark. */
export function blocksOf(document: string, mark: Mark): Command[][] {
  const text = readFileSync(join(home, document), 'utf8');
  return [...text.matchAll(block)]
    .filter(([, marked]) => marked === mark)
    .map(([, , body = '']) =>
      body
        .replaceAll('\\\n', ' ')
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map(parseLine),
    );
}

export const runnableBlocks = (document: string): Command[][] => blocksOf(document, 'run');

function parseLine(line: string): Command {
  const [, typed = line, told = ''] = /^(.*?)\s+# (.*)$/.exec(line) ?? [];
  const [comment = '', shows = ''] = told.split('→').map((part) => part.trim());
  const isInBackground = typed.trimEnd().endsWith('&');
  const text = typed.replace(/&\s*$/, '').trim();
  return { text, comment, shows, asks: /\basks\b/.test(comment), isInBackground };
}

/** Words as a shell would cut them, of lines without variables. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}
