// The hosts: how each fares, what it holds and has programmed, and which reach which inside the overlay.

import { Card, Figures, Nothing } from '../../parts/card';
import { StateMark } from '../../parts/state-mark';
import { agoText, dateText, useNow } from '../../parts/time';
import { useInterest, useLive } from '../../gateway/live-context';
import type { Heard } from '../../gateway/live';
import { byName, type Host, type World } from '../../model/world';
import { isLargeMatrix, ReachabilityMatrix } from './reachability-matrix';
import '../../style/hosts.css';

export default function HostsView() {
  useInterest('hosts');
  const { world, reachability, heard } = useLive();
  const hosts = byName(world.hosts.values());
  const up = hosts.filter(({ state }) => state === 'up').length;
  const repairs = hosts.reduce((sum, { repairs: count = 0 }) => sum + count, 0);
  const troubled = (reachability?.pairs ?? []).filter(({ state }) => state !== 'ok').length;
  const width = isLargeMatrix(reachability) ? 'wide' : 'half';
  return (
    <>
      <Figures
        figures={[
          { name: 'Up', value: `${up} of ${hosts.length}`, note: gossipNote(hosts) },
          { name: 'Endpoints', value: world.endpoints.size, note: suspendedNote(world) },
          {
            name: 'Ways tried',
            value: reachability?.pairs.length ?? '–',
            note: troubled === 0 ? 'all carry full frames' : `${troubled} in trouble`,
          },
          { name: 'Repairs', value: repairs, note: 'of kernels that had drifted' },
        ]}
      />
      <Card title="Hosts" note="as committed, and as each said last">
        <HostTable hosts={hosts} world={world} />
      </Card>
      <div className="grid">
        <Card
          className={width}
          title="Reachability"
          note="from row to column, tried with frames of full size"
        >
          <ReachabilityMatrix reachability={reachability} />
        </Card>
        <Card className={width} title="Repairs and changes" note="since this page was opened">
          <HostEvents heard={heard} />
        </Card>
      </div>
    </>
  );
}

function HostTable({ hosts, world }: { readonly hosts: readonly Host[]; readonly world: World }) {
  const now = useNow();
  if (hosts.length === 0)
    return (
      <Nothing title="No host has joined yet">
        <code>skein host token create</code> makes a token for one
      </Nothing>
    );
  const newest = Math.max(world.revision, ...hosts.map(({ programmed = 0 }) => programmed));
  return (
    <div className="scroll tall" tabIndex={0} role="region" aria-label="Hosts, table">
      <table className="hosts">
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">State</th>
            <th scope="col">Peers say</th>
            <th scope="col">Lease</th>
            <th scope="col">Address</th>
            <th scope="col" className="number">
              Networks
            </th>
            <th scope="col" className="number">
              Endpoints
            </th>
            <th scope="col" className="number">
              Programmed
            </th>
            <th scope="col" className="number">
              Repairs
            </th>
          </tr>
        </thead>
        <tbody>
          {hosts.map((host) => (
            <tr key={host.id} data-host={host.id}>
              <th scope="row">
                {host.name} {host.isDraining ? <span className="tag">draining</span> : null}
              </th>
              <td>
                <CommittedState host={host} now={now} />
              </td>
              <td>
                <PeersSay host={host} />
              </td>
              <td>
                <Lease lease={host.lease} />
              </td>
              <td className="mono">{host.vtep ?? '–'}</td>
              <td className="number">{host.networks ?? '–'}</td>
              <td className="number">{host.endpoints ?? '–'}</td>
              <td className="number" title={`newest revision known here: ${newest}`}>
                {host.programmed ?? '–'}
              </td>
              <td className="number">{host.repairs ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CommittedState({ host, now }: { readonly host: Host; readonly now: number }) {
  const { state, since, reason, heldBackMs } = host;
  return (
    <span title={reason}>
      <StateMark tone={state === 'up' ? 'good' : 'bad'}>{state}</StateMark>{' '}
      {since === undefined ? null : (
        <time className="soft" dateTime={new Date(since).toISOString()} title={dateText(since)}>
          {agoText(since, now)}
        </time>
      )}
      {heldBackMs === undefined ? null : (
        <span className="tag">held back {Math.ceil(heldBackMs / 1_000)} s</span>
      )}
    </span>
  );
}

/** What the gossip of the others thinks of it, and who does not think well of it. */
function PeersSay({ host }: { readonly host: Host }) {
  const { udpBlockedFrom: blocked = [], opinions } = host;
  const { alive, suspect, dead } = opinions ?? { alive: 0, suspect: [], dead: [] };
  const accused = dead.length > 0 ? 'dead' : 'suspect';
  const by = dead.length > 0 ? dead : suspect;
  if (by.length > 0) {
    const title = `${by.join(', ')}; ${alive} call it alive`;
    return (
      <span title={title}>
        <StateMark tone={accused === 'dead' ? 'bad' : 'warn'}>{accused}</StateMark>{' '}
        <span className="soft">say {few(by)}</span>
      </span>
    );
  }
  if (blocked.length > 0)
    return <StateMark tone="warn">TCP alone from {blocked.join(', ')}</StateMark>;
  if (alive === 0) return <StateMark tone="idle">nobody</StateMark>;
  return (
    <>
      <StateMark tone="good">alive</StateMark> <span className="soft">say {alive}</span>
    </>
  );
}

const few = (hosts: readonly string[]): string =>
  hosts.length > 2 ? `${hosts.slice(0, 2).join(', ')} and ${hosts.length - 2}` : hosts.join(', ');

function Lease({ lease }: { readonly lease: Host['lease'] }) {
  if (lease === undefined) return <span className="soft">none</span>;
  const { epoch, bootId, leftMs, fences } = lease;
  const silent = fences.length === 0 ? 'no network' : fences.join(', ');
  return (
    <span title={`boot ${bootId}; without it falls silent: ${silent}`}>
      {leftMs === 0 ? (
        <StateMark tone="bad">run out</StateMark>
      ) : (
        <span>{(leftMs / 1_000).toFixed(1)} s</span>
      )}{' '}
      <span className="soft">epoch {epoch}</span>
    </span>
  );
}

function HostEvents({ heard }: { readonly heard: readonly Heard[] }) {
  const now = useNow();
  const shown = heard.filter(({ type }) => /^(host|kernel)\./.test(type)).slice(0, 12);
  if (shown.length === 0)
    return <Nothing title="Nothing yet">repaired rows and hosts that come or go show here</Nothing>;
  return (
    <ol className="happenings">
      {shown.map(({ key, type, at, body, subject }) => (
        <li key={key}>
          <StateMark
            tone={type === 'host.up' ? 'good' : type === 'kernel.repaired' ? 'warn' : 'bad'}
          >
            {subject ?? String(body['hostId'] ?? '')} {type.split('.')[1]}
          </StateMark>
          <span className="soft what">{String(body['reason'] ?? '')}</span>
          <time className="soft">{agoText(at, now)}</time>
        </li>
      ))}
    </ol>
  );
}

function gossipNote(hosts: readonly Host[]): string {
  const blocked = hosts.filter(({ udpBlockedFrom = [] }) => udpBlockedFrom.length > 0).length;
  return blocked === 0 ? 'committed' : `${blocked} without datagrams`;
}

function suspendedNote({ endpoints, hosts }: World): string {
  const suspended = [...endpoints.values()].filter(
    ({ host }) => hosts.get(host)?.state !== 'up',
  ).length;
  return suspended === 0 ? 'all live' : `${suspended} suspended`;
}
