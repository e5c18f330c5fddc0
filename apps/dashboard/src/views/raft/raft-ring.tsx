// The managers on a circle, as the well-known Raft animation shows them: who leads, who campaigns, who does not answer, and each
// entry on its way from the leader to the others and acknowledged.

import type { Manager, Raft } from '../../model/raft';

const size = { width: 440, height: 350 };
const center = { x: size.width / 2, y: size.height / 2 + 6 };
const radius = 118;
const nodeRadius = 39;

interface Placed {
  readonly manager: Manager;
  readonly x: number;
  readonly y: number;
}

function place(managers: readonly Manager[]): Placed[] {
  return managers.map((manager, index) => {
    const angle = -Math.PI / 2 + (index * 2 * Math.PI) / managers.length;
    const x = center.x + radius * 1.25 * Math.cos(angle);
    return { manager, x, y: center.y + radius * Math.sin(angle) };
  });
}

export function RaftRing({ raft }: { readonly raft: Raft }) {
  const placed = place(raft.managers);
  const leader = placed.find(({ manager }) => manager.role === 'leader');
  return (
    <svg
      className="ring"
      viewBox={`0 0 ${size.width} ${size.height}`}
      role="img"
      aria-label={wordsOf(raft)}
    >
      {leader === undefined
        ? null
        : placed
            .filter((each) => each !== leader)
            .map((to) => <Replication key={to.manager.id} from={leader} to={to} />)}
      <text className="center" x={center.x} y={center.y - 2}>
        {raft.leaderId === null ? 'no leader' : `term ${raft.term}`}
      </text>
      <text className="center small" x={center.x} y={center.y + 17}>
        {raft.leaderId === null ? 'electing' : `commit ${raft.commitIndex}`}
      </text>
      {placed.map((each) => (
        <Node key={each.manager.id} {...each} />
      ))}
    </svg>
  );
}

/** The line to a follower; a dot runs along it, and one back, each time the follower has taken more of the log. */
function Replication({ from, to }: { readonly from: Placed; readonly to: Placed }) {
  const { manager } = to;
  const isCut = manager.role === 'unreachable' || !manager.healthy;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  return (
    <g>
      <line className={`tie ${isCut ? 'cut' : ''}`} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      {isCut ? null : (
        <g key={manager.matchIndex}>
          <circle
            className="entry"
            cx={from.x}
            cy={from.y}
            r="5"
            style={{ ['--dx' as string]: `${dx}px`, ['--dy' as string]: `${dy}px` }}
          />
          <circle
            className="entry reply"
            cx={to.x}
            cy={to.y}
            r="3.5"
            style={{ ['--dx' as string]: `${-dx}px`, ['--dy' as string]: `${-dy}px` }}
          />
        </g>
      )}
    </g>
  );
}

function Node({ manager, x, y }: Placed) {
  const { id, role, term } = manager;
  return (
    <g
      className={`manager ${role}`}
      data-manager={id}
      data-role={role}
      transform={`translate(${x} ${y})`}
    >
      {role === 'leader' ? <circle className="halo" r={nodeRadius + 7} /> : null}
      <circle className="body" r={nodeRadius} />
      {role === 'unreachable' ? <path className="cross" d="M-14 -14 14 14M14 -14-14 14" /> : null}
      <text className="name" y="-7">
        {id}
      </text>
      <text className="role" y="9">
        {roleWord(manager)}
      </text>
      <text className="term" y="23">
        term {term}
      </text>
    </g>
  );
}

export function roleWord({ role, isRecovering }: Pick<Manager, 'role' | 'isRecovering'>): string {
  if (isRecovering) return 'recovering';
  switch (role) {
    case 'preCandidate':
      return 'pre-candidate';
    case 'unreachable':
      return 'silent';
    case 'leader':
    case 'follower':
    case 'candidate':
    case 'learner':
    case 'unknown':
      return role;
  }
}

function wordsOf({ managers, leaderId, term }: Raft): string {
  const each = managers.map((manager) => `${manager.id} ${roleWord(manager)}`).join(', ');
  return `${leaderId === null ? 'No leader' : `${leaderId} leads in term ${term}`}: ${each}`;
}
