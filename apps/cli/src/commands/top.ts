// skein top: the cluster as it is, each second and whenever something happens. For scripts `--once` prints one look, `--json` a line
// for each.

import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '@skein/contracts';
import type { Api, Json } from '../client/api';
import { followEvents, type FollowOptions } from '../client/event-stream';
import type { Session } from '../session';
import { frame, type FrameState } from '../top/frame';
import { Looker, type TopView } from '../top/look';
import { atStart, moved } from '../top/reader';
import { Terminal, type Key } from '../top/terminal';
import { eventLine } from './events';

export interface TopOptions {
  readonly once?: boolean;
}

const everyMs = 1_000;
/** However much happens, it is not looked more often. */
const leastMs = 250;
/** Of one look alone the commits a second are not known. */
const betweenLooksMs = 500;
const maxEvents = 500;
/** What has happened before is looked for in so many revisions. */
const recentRevisions = 200;
const recentEvents = 20;
const recentTimeoutMs = 10_000;
const defaultSize = { columns: 100, rows: 40 };

export async function top(session: Session, { once = false }: TopOptions) {
  if (once) return showOnce(session);
  if (session.out.json) return showLines(session);
  if (!process.stdout.isTTY || !process.stdin.isTTY) {
    throw new SkeinError('invalid_request', 'top needs a terminal; elsewhere --once or --json', {
      field: 'once',
    });
  }
  await showLive(session);
}

async function showOnce({ api, out }: Session) {
  const looker = new Looker(api);
  await looker.look();
  await delay(betweenLooksMs);
  const view = await looker.look();
  if (view.failure !== null) throw new SkeinError('unavailable', view.failure);
  const { events } = await recent(api, view);
  out.show({ ...view, events }, () => {
    const { columns = defaultSize.columns } = process.stdout;
    const size = { columns, rows: defaultSize.rows };
    return frame(view, { ...size, ...atStart, events: events.map(plainLine) })
      .slice(0, -1)
      .join('\n')
      .trimEnd();
  });
}

/** Until it is ended: a line a look. */
async function showLines({ api, out }: Session) {
  const looker = new Looker(api);
  for (;;) {
    out.line(JSON.stringify(await looker.look()));
    await delay(everyMs);
  }
}

async function showLive({ api }: Session) {
  const looker = new Looker(api);
  const control = new AbortController();
  const events: string[] = [];
  let reader = atStart;
  let view: TopView = { at: Date.now(), failure: null, cluster: null, hosts: [], networks: [] };
  let wake: () => void = () => undefined;

  const draw = (): void => {
    const state: FrameState = { ...terminal.size, ...reader, events };
    terminal.draw(frame(view, state));
  };
  const onKey = (key: Key): void => {
    if (key === 'quit') {
      control.abort();
      wake();
      return;
    }
    const { hosts, networks } = view;
    const lengths = { hosts: hosts.length, networks: networks.length, events: events.length };
    reader = moved(reader, key, lengths);
    draw();
  };
  const terminal = new Terminal(onKey, draw);
  const onEvent = (event: Json): void => {
    events.push(plainLine(event));
    if (events.length > maxEvents) events.shift();
    wake();
  };

  terminal.open();
  try {
    draw();
    let following: Promise<void> | undefined;
    while (!control.signal.aborted) {
      view = await looker.look();
      draw();
      following ??= follow(api, view, { signal: control.signal, onEvent });
      await delay(leastMs, undefined, { signal: control.signal }).catch(() => undefined);
      if (control.signal.aborted) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs - leastMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await following;
  } finally {
    terminal.close();
  }
}

/** The past for as far as it is kept, and what happens from then on. */
async function follow(
  api: Api,
  view: TopView,
  options: Pick<FollowOptions, 'signal' | 'onEvent'>,
): Promise<void> {
  const { events, next } = await recent(api, view).catch(() => ({ events: [], next: undefined }));
  for (const event of events) options.onEvent(event);
  await followEvents(api, { ...options, from: next, isPatient: true });
}

async function recent(
  api: Api,
  { cluster }: TopView,
): Promise<{ events: Json[]; next: number | undefined }> {
  if (cluster === null) return { events: [], next: undefined };
  const query = { from: Math.max(0, cluster.revision - recentRevisions), limit: 1_000 };
  const signal = AbortSignal.timeout(recentTimeoutMs);
  const response = await api.open('/v1/events', query, signal, 'application/json');
  const { events, revision } = (await response.json()) as { events: Json[]; revision: number };
  return { events: events.slice(-recentEvents), next: revision + 1 };
}

/** Colors are the frame's: of a line that is cut they would run on. Of the moment the time of day is enough. */
const plainLine = (event: Json): string =>
  eventLine(event)
    .replace(/\x1b\[[0-9;]*m/g, '')
    .replace(/\d{4}-\d{2}-\d{2}T(\d{2}:\d{2}:\d{2})Z/, '$1');
