// One address: who holds it, since when and by which request, and who held it before.

import { useEffect, useState } from 'react';
import type { ReplyOf, addressHistoryContract } from '@skein/contracts';
import { useSource } from '../../gateway/live-context';
import { Problem } from '../../gateway/client';
import { Nothing } from '../../parts/card';
import { StateMark } from '../../parts/state-mark';
import { dateText } from '../../parts/time';

type Story = ReplyOf<typeof addressHistoryContract>;
type Holder = Story['holders'][number];

const restMs = 120;

export function AddressStory(props: {
  readonly address: string | undefined;
  readonly network: string;
  /** A revision of the past; undefined: now. */
  readonly at?: number | undefined;
  readonly revision: number;
}) {
  const { address, network, at, revision } = props;
  const { client } = useSource();
  const [story, setStory] = useState<Story | Error>();
  useEffect(() => {
    if (address === undefined) return undefined;
    const ended = new AbortController();
    // Not for each cell that the pointer crosses.
    const timer = window.setTimeout(() => {
      client.get<Story>(`/v1/addresses/${address}`, { network, at }, ended.signal).then(
        (found) => setStory(found),
        (thrown: unknown) => {
          if (!ended.signal.aborted) setStory(thrown as Error);
        },
      );
    }, restMs);
    return () => {
      window.clearTimeout(timer);
      ended.abort();
    };
  }, [client, address, network, at, revision]);

  if (address === undefined)
    return (
      <Nothing title="No address is chosen">
        point at a cell, or move to it with the keyboard
      </Nothing>
    );
  return (
    <div className="story" aria-live="polite">
      <p className="mono chosen-address">{address}</p>
      {story === undefined || (!(story instanceof Error) && story.address !== address) ? (
        <p className="soft">…</p>
      ) : story instanceof Problem && story.code === 'address_not_found' ? (
        <StateMark tone="idle">Nobody has ever held it</StateMark>
      ) : story instanceof Error ? (
        <StateMark tone="bad">{story.message}</StateMark>
      ) : (
        <>
          {story.holders.length === 0 ? <StateMark tone="idle">Nobody holds it</StateMark> : null}
          <Holders holders={story.holders} />
          {story.past.length === 0 ? null : <h3>Before</h3>}
          <Holders holders={story.past} />
        </>
      )}
    </div>
  );
}

function Holders({ holders }: { readonly holders: readonly Holder[] }) {
  return (
    <ol>
      {holders.map((holder) => (
        <li key={`${holder.networkId} ${holder.sinceRevision}`}>
          <b>{holder.endpointName ?? holder.endpointId ?? holder.kind}</b>
          {holder.host === null ? '' : ` on ${holder.host}`}
          <span className="soft">
            {holder.network}, since revision {holder.sinceRevision}, {dateText(holder.since)}
            {holder.until === undefined ? '' : `, until ${dateText(holder.until)}`}
          </span>
          <span className="soft mono">{holder.request}</span>
        </li>
      ))}
    </ol>
  );
}
