// Who reaches whom inside the overlay: a row tried the way to a column.

import { Fragment } from 'react';
import { Nothing } from '../../parts/card';
import type { Reachability } from '../../gateway/live';

type Pair = Reachability['pairs'][number];

const words: Readonly<Record<Pair['state'], string>> = {
  ok: 'full frames pass',
  damaged: 'frames come changed',
  small: 'only small frames pass',
  none: 'nothing passes',
};
const signs: Readonly<Record<Pair['state'], string>> = {
  ok: '●',
  damaged: '◆',
  small: '▲',
  none: '✕',
};

export function ReachabilityMatrix(props: { readonly reachability: Reachability | undefined }) {
  const { reachability } = props;
  if (reachability === undefined || reachability.pairs.length === 0)
    return (
      <Nothing title="No two hosts share a network">
        they try the way to each other once they do
      </Nothing>
    );
  const { hosts, pairs } = reachability;
  const found = new Map(pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  const isLarge = hosts.length > 12;
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label="Reachability, table">
        <table className={`matrix ${isLarge ? 'large' : ''}`}>
          <thead>
            <tr>
              <td />
              {hosts.map(({ id, name }) => (
                <th key={id} scope="col">
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {hosts.map((from) => (
              <tr key={from.id}>
                <th scope="row">{from.name}</th>
                {hosts.map((to) => (
                  <Way
                    key={to.id}
                    isSelf={from.id === to.id}
                    pair={found.get(`${from.id} ${to.id}`)}
                    isShort={isLarge}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="legend soft">
        {Object.entries(words).map(([state, text]) => (
          <Fragment key={state}>
            <span className={`way ${state}`}>{signs[state as Pair['state']]}</span> {text}
            {'  '}
          </Fragment>
        ))}
      </p>
    </>
  );
}

function Way(props: {
  readonly isSelf: boolean;
  readonly pair: Pair | undefined;
  readonly isShort: boolean;
}) {
  const { isSelf, pair, isShort } = props;
  if (isSelf || pair === undefined)
    return (
      <td className="soft">
        {isSelf ? '' : '·'}
        <span className="unseen">{isSelf ? 'itself' : 'no network in common'}</span>
      </td>
    );
  const { state, rttMs, network } = pair;
  return (
    <td title={`${words[state]}, in ${network}`}>
      <span className={`way ${state}`} aria-hidden="true">
        {signs[state]}
      </span>
      <span className="unseen">{words[state]}</span>
      {isShort || rttMs === undefined ? null : (
        <span className="soft"> {rttMs < 10 ? rttMs.toFixed(2) : Math.round(rttMs)} ms</span>
      )}
    </td>
  );
}
