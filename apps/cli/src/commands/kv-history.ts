// skein kv history, watch: how keys have changed, and how they change from now on.

import { createParser } from 'eventsource-parser';
import { SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import type { Json } from '../client/api';
import { time, type Cell } from '../output/table';
import type { Session } from '../session';

const pageSize = 500;
const pauseMs = 500;

export interface HistoryOptions {
  readonly prefix?: boolean;
  readonly from?: number;
  readonly limit?: number;
}

/** Every kept revision of a key, oldest first. Exit code 3 if there is none. */
export async function history({ api, out }: Session, key: string, options: HistoryOptions) {
  const span = options.prefix === true ? { prefix: key } : { key };
  const most = options.limit ?? Infinity;
  const revisions: Json[] = [];
  let from = options.from;
  let page: Json;
  do {
    const limit = Math.min(pageSize, most - revisions.length);
    page = await api.get('/v1/kv/history', { ...span, from, limit });
    revisions.push(...page.revisions);
    from = page.nextRevision;
  } while (from !== undefined && revisions.length < most);
  const { revision, compactRevision } = page;
  out.show({ revision, compactRevision, revisions, nextRevision: from }, () => {
    const rows = revisions.flatMap((each) => each.events.map((event: Json) => row(each, event)));
    const head = ['revision', 'time', 'change', 'key', 'version', 'lease', 'value'];
    const shown = out.table(head, rows, 'no changes are kept');
    const notes = [
      compactRevision > 0 ? `changes up to revision ${compactRevision} are compacted` : '',
      from === undefined ? '' : `… more from revision ${from} on`,
    ].filter((note) => note !== '');
    return [shown, ...notes.map((note) => pc.dim(note))].join('\n');
  });
  if (revisions.length === 0) process.exitCode = 3;
}

function row({ revision, at }: Json, { type, kv }: Json): Cell[] {
  const isPut = type === 'put';
  return [revision, time(at), type, kv.key, isPut ? kv.version : '', kv.lease, kv.value];
}

export interface WatchOptions {
  readonly prefix?: boolean;
  readonly from?: number;
  readonly previous?: boolean;
  readonly progress?: boolean;
  readonly filter?: string;
}

/** Until Ctrl-C. A connection that breaks is made anew from the last revision seen, so that nothing is missed or repeated. */
export async function watch(session: Session, key: string, options: WatchOptions) {
  const control = new AbortController();
  process.once('SIGINT', () => control.abort());
  const { prefix, from, previous, progress, filter } = options;
  const query = {
    ...(prefix === true ? { prefix: key } : { key }),
    previous,
    filter,
    progress: progress === true ? true : undefined,
  };
  const place: Place = { next: from, hasOpened: false };
  while (!control.signal.aborted) {
    try {
      await follow(session, { ...query, from: place.next }, place, control.signal);
    } catch (thrown) {
      if (control.signal.aborted) return;
      const error = SkeinError.from(thrown);
      // Before it was open there is nothing to resume; what is compacted never comes back.
      if (!place.hasOpened || error.code === 'revision_compacted') throw thrown;
    }
    if (!control.signal.aborted) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

interface Place {
  next: number | undefined;
  hasOpened: boolean;
}

async function follow(
  { api, out }: Session,
  query: Record<string, string | number | boolean | undefined>,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const response = await api.open('/v1/kv/watch', query, signal, 'text/event-stream');
  let compacted: number | undefined;
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const body: Json = JSON.parse(data);
      if (id !== undefined) place.next = Number(id) + 1;
      if (event === 'opened') {
        if (!place.hasOpened)
          out.note(pc.dim(`watching from revision ${place.next ?? body.revision + 1} on`));
        place.hasOpened = true;
        place.next ??= body.revision + 1;
      } else if (event === 'compacted') {
        compacted = body.compactRevision;
      } else {
        print(out, event ?? 'revision', body);
      }
    },
  });
  const decoder = new TextDecoder();
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    parser.feed(decoder.decode(part, { stream: true }));
  }
  if (compacted === undefined) return;
  throw new SkeinError('revision_compacted', 'The watch fell behind what is kept', {
    facts: { compactRevision: compacted },
  });
}

function print(out: Session['out'], event: string, body: Json): void {
  if (out.json) return out.line(JSON.stringify(event === 'progress' ? { progress: body } : body));
  if (event === 'progress') return out.line(pc.dim(`${body.revision}  nothing new up to here`));
  for (const each of body.events) out.line(eventText(body, each));
}

export function eventText({ revision, at }: Json, { type, kv, previous }: Json): string {
  const head = `${revision}  ${pc.dim(time(at) ?? '')}`;
  const before = previous === undefined ? '' : pc.dim(`  (was ${previous.value})`);
  if (type === 'delete') return `${head}  ${pc.red('delete')}  ${kv.key}${before}`;
  const lease = kv.lease === undefined ? '' : pc.dim(`  lease ${kv.lease}`);
  return `${head}  ${pc.green('put')}  ${kv.key} = ${kv.value}${lease}${before}`;
}
