// The way from one endpoint to another, step by step; the first step that is wrong stands out.

import { useEffect, useState } from 'react';
import type { ReplyOf, explainContract } from '@skein/contracts';
import { useSource } from '../../gateway/live-context';
import type { Endpoint } from '../../model/world';
import { StateMark } from '../../parts/state-mark';

type Explained = ReplyOf<typeof explainContract>;

export function ExplainedWay(props: {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The way is asked for anew when it changes. */
  readonly revision: number;
}) {
  const { from, to, revision } = props;
  const { client } = useSource();
  const [explained, setExplained] = useState<Explained | Error>();
  useEffect(() => {
    const ended = new AbortController();
    const query = { network: from.networkId, from: from.id, to: to.id };
    client.get<Explained>('/v1/explain', query, ended.signal).then(
      (found) => setExplained(found),
      (thrown: unknown) => {
        if (!ended.signal.aborted) setExplained(thrown as Error);
      },
    );
    return () => ended.abort();
  }, [client, from.networkId, from.id, to.id, revision]);

  if (explained === undefined) return <p className="soft">Asking the hosts on the way…</p>;
  if (explained instanceof Error)
    return (
      <p role="alert">
        <StateMark tone="bad">{explained.message}</StateMark>
      </p>
    );
  const firstWrong = explained.firstWrong ?? -1;
  return (
    <>
      <p className="verdict" role="status">
        {explained.ok ? (
          <StateMark tone="good">The way is complete</StateMark>
        ) : (
          <StateMark tone="bad">Broken at: {explained.steps[firstWrong]?.step}</StateMark>
        )}
        <span className="soft"> at revision {explained.revision}</span>
      </p>
      <ol className="steps" tabIndex={0} aria-label="Steps of the way">
        {explained.steps.map(({ step, ok, detail }, index) => (
          <li key={index} className={index === firstWrong ? 'first-wrong' : ''}>
            <StateMark tone={ok ? 'good' : 'bad'}>{step}</StateMark>
            <span>{detail}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
