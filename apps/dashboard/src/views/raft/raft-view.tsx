// The managers: who leads, how the log travels, what elections there were, how many may still be lost. All as it happens.

import { Card, Figures, Nothing } from '../../parts/card';
import { StateMark } from '../../parts/state-mark';
import { dateText, durationText, timeText } from '../../parts/time';
import { useInterest, useLive } from '../../gateway/live-context';
import { commitRates, quorumMargin, type Election, type Raft } from '../../model/raft';
import { LineChart } from '../../parts/line-chart';
import { LogStrips } from './log-strips';
import { ManagerTable } from './manager-table';
import { RaftRing } from './raft-ring';
import '../../style/raft.css';

export default function RaftView() {
  useInterest('raft');
  const { raft } = useLive();
  if (raft.seenAt === 0 && raft.leaderlessSince === null)
    return <Nothing title="Asking the managers">a moment</Nothing>;
  return (
    <>
      <RaftFigures raft={raft} />
      <div className="grid">
        <Card
          className="half"
          title="Managers"
          note={raft.leaderId === null ? 'nobody leads' : `${raft.leaderId} leads`}
        >
          <RaftRing raft={raft} />
        </Card>
        <Card className="half" title="Log" note="the newest entries, on each manager">
          <LogStrips raft={raft} />
        </Card>
        <Card className="wide" title="Each manager">
          <ManagerTable raft={raft} />
        </Card>
        <Card className="third" title="Elections" note="since this page was opened">
          <Elections elections={raft.elections} />
        </Card>
        <Charts raft={raft} />
      </div>
    </>
  );
}

function RaftFigures({ raft }: { readonly raft: Raft }) {
  const { voters, healthy, needed, spare } = quorumMargin(raft);
  return (
    <>
      <Figures
        figures={[
          {
            name: 'Leader',
            value: raft.leaderId ?? 'none',
            note: raft.leaderId === null ? 'an election is on' : `since term ${raft.term}`,
          },
          { name: 'Term', value: raft.term, note: `${raft.elections.length} seen by this page` },
          { name: 'Committed', value: raft.commitIndex, note: `of ${raft.lastIndex} in the log` },
          {
            name: 'Quorum margin',
            value: spare < 0 ? 'lost' : `+${spare}`,
            note: `${healthy} of ${voters} well, ${needed} needed`,
          },
        ]}
      />
      {raft.alarms.length === 0 ? null : (
        <p role="alert">
          <StateMark tone="bad">Alarm: {raft.alarms.join(', ')}</StateMark>
        </p>
      )}
    </>
  );
}

function Elections({ elections }: { readonly elections: readonly Election[] }) {
  return (
    <ol className="elections" aria-live="polite">
      {elections.map(({ term, leaderId, at, withoutLeaderMs, isFirstSeen }) => (
        <li key={term} data-term={term}>
          <span className="term">{term}</span>
          <span>
            <b>{leaderId}</b> {isFirstSeen ? 'was leading' : 'was elected'}
            <span className="soft">
              {isFirstSeen ? ' when first seen' : ''}
              {withoutLeaderMs === undefined
                ? ''
                : `; nobody led for ${durationText(withoutLeaderMs)}`}
            </span>
          </span>
          <time className="soft" dateTime={new Date(at).toISOString()} title={dateText(at)}>
            {timeText(at)}
          </time>
        </li>
      ))}
    </ol>
  );
}

function Charts({ raft }: { readonly raft: Raft }) {
  const { samples, managers } = raft;
  const times = samples.map(({ at }) => at / 1_000);
  return (
    <>
      <Card className="third" title="Disk latency" note="ms until a write is durable">
        <LineChart
          label="Disk latency of each manager, in milliseconds"
          times={times}
          unit="ms"
          lines={managers.map(({ id }, index) => ({
            name: id,
            color: `net-${index % 10}`,
            values: samples.map(({ diskLatencyMs }) => diskLatencyMs[id] ?? null),
          }))}
        />
      </Card>
      <Card className="third" title="Commits" note="log entries a second">
        <LineChart
          label="Committed log entries a second"
          times={times}
          unit="/s"
          lines={[{ name: 'commits', color: 'accent', values: commitRates(samples) }]}
        />
      </Card>
    </>
  );
}
