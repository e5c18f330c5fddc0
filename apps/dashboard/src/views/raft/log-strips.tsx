// The end of the log on each manager, entry by entry: what it has, and up to where it is committed.

import type { Manager, Raft } from '../../model/raft';

const shownEntries = 40;

export function LogStrips({ raft }: { readonly raft: Raft }) {
  const last = Math.max(raft.lastIndex, ...raft.managers.map(({ matchIndex }) => matchIndex));
  const first = Math.max(1, last - shownEntries + 1);
  return (
    <div className="log">
      <div className="log-scale soft" aria-hidden="true">
        <span>{first}</span>
        <span>{last}</span>
      </div>
      {raft.managers.map((manager) => (
        <Strip key={manager.id} manager={manager} first={first} raft={raft} />
      ))}
      <p className="legend soft">
        <i className="cell committed" /> committed <i className="cell stored" /> in the log, not yet
        committed <i className="cell" /> not there
      </p>
    </div>
  );
}

function Strip(props: { readonly manager: Manager; readonly first: number; readonly raft: Raft }) {
  const { manager, first, raft } = props;
  const { id, matchIndex, role } = manager;
  const isSilent = role === 'unreachable';
  return (
    <div className="log-row">
      <span className="who">
        <b>{id}</b>
        <span className="soft">{matchIndex === 0 ? '–' : matchIndex}</span>
      </span>
      <span className={`cells ${isSilent ? 'silent' : ''}`} aria-hidden="true">
        {Array.from({ length: shownEntries }, (_, offset) => {
          const index = first + offset;
          const has = index <= matchIndex;
          const kind = !has ? '' : index <= raft.commitIndex ? 'committed' : 'stored';
          return <i key={offset} className={`cell ${kind}`} />;
        })}
      </span>
      <span className="unseen">
        has entries up to {matchIndex}, {Math.max(0, raft.lastIndex - matchIndex)} behind
      </span>
    </div>
  );
}
