// All that has happened, with a slider that takes the topology and the addresses back to any moment of it.

import { useEffect, useMemo, useState } from 'react';
import type { HistoryEvent } from '@skein/contracts';
import { readEvents } from '../../gateway/lists';
import { useLive, useSource } from '../../gateway/live-context';
import { holdingsOf } from '../../model/address-map';
import { joinEvents, placeOf, worldUpTo } from '../../model/past';
import { byName, type World } from '../../model/world';
import { Card, Nothing } from '../../parts/card';
import { dateText } from '../../parts/time';
import { AddressGrid } from '../addresses/address-grid';
import { AddressStory } from '../addresses/address-story';
import { TopologyGraph } from '../topology/topology-graph';
import { EventList } from './event-list';
import '../../style/topology.css';
import '../../style/addresses.css';
import '../../style/timeline.css';

const none: readonly string[] = [];

export default function TimelineView() {
  const { world } = useLive();
  const { events, note } = useHistory();
  /** Undefined: now, wherever that moves. */
  const [chosen, setChosen] = useState<number>();
  const count = Math.min(chosen ?? events.length, events.length);
  const shown = useMemo(
    () => (count === events.length ? world : worldUpTo(events, count, world)),
    [events, count, world],
  );
  const at = events[count - 1];
  const isNow = count === events.length;
  return (
    <>
      <Card
        title="Time"
        note={note ?? `${events.length} events`}
        end={
          <button className="plain" disabled={isNow} onClick={() => setChosen(undefined)}>
            Back to now
          </button>
        }
      >
        <p className="moment" aria-live="polite" data-testid="moment">
          <b>{isNow ? 'Now' : at === undefined ? 'Before everything' : dateText(at.at)}</b>{' '}
          <span className="soft">revision {isNow ? world.revision : (at?.revision ?? 0)}</span>
        </p>
        <input
          type="range"
          min={0}
          max={events.length}
          value={count}
          aria-label="Moment"
          aria-valuetext={
            at === undefined ? 'before everything' : `after ${at.type}, revision ${at.revision}`
          }
          onChange={({ target }) => {
            const place = Number(target.value);
            setChosen(place === events.length ? undefined : place);
          }}
        />
      </Card>
      <div className="grid">
        <Card className="most" title="Topology" note={isNow ? 'now' : 'then'}>
          <TopologyGraph world={shown} chosen={none} />
          <p className="soft then" data-testid="then">
            {shown.hosts.size} hosts, {shown.networks.size} networks, {shown.endpoints.size}{' '}
            endpoints
          </p>
        </Card>
        <Card className="third" title="Events" note="press one to go there">
          <EventList
            events={events}
            count={count}
            onGo={(event) => setChosen(placeOf(events, event.revision))}
          />
        </Card>
      </div>
      <PastAddresses world={shown} at={isNow ? undefined : at?.revision} />
    </>
  );
}

function PastAddresses({ world, at }: { readonly world: World; readonly at: number | undefined }) {
  const networks = byName(world.networks.values());
  const [wanted, setWanted] = useState<string>();
  const [address, setAddress] = useState<string>();
  const network = world.networks.get(wanted ?? '') ?? networks[0];
  const holdings = useMemo(
    () => (network === undefined ? [] : holdingsOf(world, network.id)),
    [world, network],
  );
  if (network === undefined) return null;
  const nameOf = (id: string) => world.endpoints.get(id)?.name ?? id;
  return (
    <div className="grid">
      <Card
        className="most"
        title="Addresses"
        note={at === undefined ? 'now' : `at revision ${at}`}
        end={
          <label>
            <span className="unseen">Network</span>
            <select value={network.id} onChange={({ target }) => setWanted(target.value)}>
              {networks.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        }
      >
        {network.subnets === undefined ? (
          <Nothing title="Its subnets are not known any more">
            the network was deleted since
          </Nothing>
        ) : (
          network.subnets.map((subnet) => (
            <AddressGrid
              key={`${network.id} ${subnet.cidr}`}
              subnet={subnet}
              holdings={holdings}
              nameOf={nameOf}
              onLook={setAddress}
            />
          ))
        )}
      </Card>
      <Card className="third" title="One address">
        <AddressStory
          address={address}
          network={network.id}
          at={at}
          revision={at ?? world.revision}
        />
      </Card>
    </div>
  );
}

/** Read once, then followed. */
function useHistory(): { events: readonly HistoryEvent[]; note: string | undefined } {
  const { client } = useSource();
  const { heard } = useLive();
  const [read, setRead] = useState<{ events: HistoryEvent[]; isWhole: boolean }>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let isOver = false;
    readEvents(client).then(
      (found) => isOver || setRead(found),
      (thrown: unknown) => isOver || setProblem(String(thrown)),
    );
    return () => {
      isOver = true;
    };
  }, [client]);
  const events = useMemo(() => {
    if (read === undefined) return [];
    const live = heard.filter((each) => each.revision !== undefined) as unknown as HistoryEvent[];
    return read.isWhole ? joinEvents(read.events, live) : read.events;
  }, [read, heard]);
  const note =
    problem ??
    (read === undefined
      ? 'reading'
      : read.isWhole
        ? undefined
        : `the first ${events.length} events`);
  return { events, note };
}
