// skein events: the readable history, and what happens from now on.

import pc from 'picocolors';
import type { Json } from '../client/api';
import { followEvents } from '../client/event-stream';
import { time } from '../output/table';
import type { Session } from '../session';

const pageSize = 1_000;

export interface EventsOptions {
  readonly from?: number;
  readonly prefix?: string;
  readonly follow?: boolean;
}

/** Without `--from` and `--follow`: all of the past. */
export async function events(session: Session, options: EventsOptions) {
  if (options.follow === true) await follow(session, options);
  else await past(session, options);
}

async function past({ api, out }: Session, { from = 0, prefix }: EventsOptions) {
  const signal = AbortSignal.timeout(60_000);
  for (let next = from; ;) {
    const query = { from: next, prefix, limit: pageSize };
    const response = await api.open('/v1/events', query, signal, 'application/json');
    const page = (await response.json()) as Json;
    const last = page.events.at(-1);
    const isFull = page.events.length === pageSize;
    // The revision at which a full page ends may go on: it is left for the next page, unless it fills this one.
    const whole = isFull && page.events[0].revision < last.revision;
    for (const event of page.events) {
      if (!whole || event.revision < last.revision) print(out.json, event);
    }
    if (!isFull) return;
    next = whole ? last.revision : last.revision + 1;
  }
}

async function follow({ api, out }: Session, { from, prefix }: EventsOptions) {
  const control = new AbortController();
  process.once('SIGINT', () => control.abort());
  const onEvent = (event: Json): void => print(out.json, event);
  await followEvents(api, { from, prefix, signal: control.signal, onEvent });
}

/** One line an event, in both forms. */
function print(json: boolean, event: Json): void {
  process.stdout.write(`${json ? JSON.stringify(event) : eventLine(event)}\n`);
}

export function eventLine(event: Json): string {
  const at = time(event.at ?? event.body?.at) ?? '';
  const revision = String(event.revision ?? '·').padStart(6);
  const { revision: _revision, at: _at, ...body } = event.body ?? {};
  const facts = Object.entries(body)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${pc.dim(`${name}=`)}${scalar(value)}`);
  return `${revision}  ${pc.dim(at)}  ${pc.bold(event.type)}  ${facts.join(' ')}`.trimEnd();
}

function scalar(value: unknown): string {
  if (Array.isArray(value)) return value.map(scalar).join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
