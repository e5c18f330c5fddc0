// The frame around each view: where one can go, how the cluster fares, and whether the gateway is there.

import { useEffect, useRef, type ComponentType, type ReactNode } from 'react';
import { useLive, useSource } from './gateway/live-context';
import type { Connection } from './gateway/live';
import { Mark, MoonIcon, SunIcon } from './parts/icons';
import { StateMark } from './parts/state-mark';
import { useTheme } from './parts/theme';
import { durationText, useNow } from './parts/time';

export interface ViewEntry {
  readonly path: string;
  readonly title: string;
  readonly Icon: ComponentType;
}

export function Frame(props: {
  readonly views: readonly ViewEntry[];
  readonly view: ViewEntry;
  readonly onLeave: (why?: string) => void;
  readonly children: ReactNode;
}) {
  const { views, view, onLeave } = props;
  const { connection } = useLive();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${view.title} · Skein`;
    // Readers of the screen hear the new view from its start, as after any other page change.
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
  }, [view]);
  useEffect(() => {
    if (connection.kind === 'refused') onLeave(connection.why);
  }, [connection, onLeave]);

  return (
    <div className="frame">
      <header className="top">
        <h1>{view.title}</h1>
        <ClusterFacts />
        <ConnectionMark connection={connection} />
        <ThemeButton />
      </header>
      <main
        className={`main ${connection.kind === 'away' ? 'stale' : ''}`}
        ref={main}
        tabIndex={-1}
        aria-label={view.title}
      >
        <div className="view">{props.children}</div>
      </main>
      <aside className="rail" aria-label="Skein">
        <div className="brand">
          <Mark /> Skein
        </div>
        <nav aria-label="Views">
          {views.map(({ path, title, Icon }) => (
            <a key={path} href={`#/${path}`} aria-current={path === view.path ? 'page' : undefined}>
              <Icon /> {title}
            </a>
          ))}
        </nav>
        <div className="foot">
          <a href="/docs">API</a> · <a href="/docs/errors">Errors</a> ·{' '}
          <a
            href="#/"
            onClick={(event) => {
              event.preventDefault();
              onLeave();
            }}
          >
            Sign out
          </a>
        </div>
      </aside>
      {connection.kind === 'away' ? <Away {...connection} /> : null}
    </div>
  );
}

function ClusterFacts() {
  const { world, raft } = useLive();
  const up = [...world.hosts.values()].filter(({ state }) => state === 'up').length;
  return (
    <>
      <span className="fact">
        leader <b data-testid="leader">{raft.leaderId ?? '–'}</b>
      </span>
      <span className="fact spare">
        term <b data-testid="term">{raft.term === 0 ? '–' : raft.term}</b>
      </span>
      <span className="fact spare">
        hosts{' '}
        <b>
          {up} of {world.hosts.size}
        </b>
      </span>
      <span className="fact spare">
        revision <b>{Math.max(world.revision, raft.revision)}</b>
      </span>
    </>
  );
}

function ConnectionMark({ connection }: { readonly connection: Connection }) {
  return (
    <span className="connection state" role="status">
      {connection.kind === 'open' ? (
        <StateMark tone="good">Live</StateMark>
      ) : connection.kind === 'away' ? (
        <StateMark tone="bad">Gateway away</StateMark>
      ) : (
        <StateMark tone="idle">Connecting</StateMark>
      )}
    </span>
  );
}

function Away({ since, retryAt, why }: Extract<Connection, { kind: 'away' }>) {
  const { live } = useSource();
  const now = useNow(500);
  const left = Math.max(0, retryAt - now);
  return (
    <aside className="away" aria-label="Connection">
      <span>
        <strong>The gateway is away</strong>
        {why}. Shown is what was known {durationText(now - since)} ago;{' '}
        {left === 0 ? 'trying' : `next try in ${Math.ceil(left / 1_000)} s`}.
      </span>
      <button onClick={() => live.retryNow()}>Try now</button>
    </aside>
  );
}

function ThemeButton() {
  const { theme, toggle } = useTheme();
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <button className="icon-button" onClick={toggle} aria-label={`Use ${other} colours`}>
      {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}
