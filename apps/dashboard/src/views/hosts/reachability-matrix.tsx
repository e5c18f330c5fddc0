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

const mostTroubles = 12;

/** Whether it wants the whole width. */
export const isLargeMatrix = (reachability: Reachability | undefined): boolean =>
  (reachability?.hosts.length ?? 0) > 12;

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
  const isLarge = isLargeMatrix(reachability);
  return (
    <>
      {isLarge ? <Troubles reachability={reachability} /> : null}
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

/** In a large matrix single signs are hard to find: what is not well is told in words too. */
function Troubles({ reachability }: { readonly reachability: Reachability }) {
  const names = new Map(reachability.hosts.map(({ id, name }) => [id, name]));
  const troubles = reachability.pairs.filter(({ state }) => state !== 'ok');
  if (troubles.length === 0) return null;
  return (
    <ul className="troubles">
      {troubles.slice(0, mostTroubles).map(({ from, to, state, network, mtu }) => (
        <li key={`${from} ${to}`}>
          <span className={`way ${state}`} aria-hidden="true">
            {signs[state]}
          </span>{' '}
          {names.get(from) ?? from} → {names.get(to) ?? to}: {words[state]}
          {mtu === undefined ? '' : `, up to an MTU of ${mtu}`}, in {network}
        </li>
      ))}
      {troubles.length > mostTroubles ? (
        <li className="soft">and {troubles.length - mostTroubles} more</li>
      ) : null}
    </ul>
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
