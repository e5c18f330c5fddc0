// The whole: hosts, what is attached to them, the networks' tunnels between them; and the way between two that the reader chose.

import { useState } from 'react';
import { useInterest, useLive } from '../../gateway/live-context';
import { networkColors } from '../../model/palette';
import { byName, type Endpoint, type World } from '../../model/world';
import { Card, Nothing } from '../../parts/card';
import { NetworkLegend } from '../../parts/network-legend';
import { tunnelsOf } from '../../model/placement';
import { EndpointTable } from './endpoint-table';
import { ExplainedWay } from './explained-way';
import { mostTunnels } from './graph-elements';
import { TopologyGraph } from './topology-graph';
import { useTraffic } from './use-traffic';
import '../../style/topology.css';

export default function TopologyView() {
  useInterest('hosts');
  const { world, reachability } = useLive();
  const rates = useTraffic();
  const [focus, setFocus] = useState<string>();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [first, second] = chosen.map((id) => world.endpoints.get(id));

  /** The first of a pair, then the second; a third begins anew, and so does one of another network. */
  const choose = (id: string) => {
    const next = world.endpoints.get(id);
    const isSecond =
      first !== undefined &&
      second === undefined &&
      first.id !== id &&
      first.networkId === next?.networkId;
    setChosen(isSecond ? [first.id, id] : [id]);
  };

  return (
    <div className="grid topology">
      <Card
        className="most"
        title="Hosts, endpoints and tunnels"
        note="press two endpoints of a network to see the way between them"
      >
        <NetworkLegend
          networks={byName(world.networks.values())}
          colors={networkColors(world.networks.values())}
          focus={focus}
          onFocus={setFocus}
        />
        <TopologyGraph
          world={world}
          reachability={reachability}
          focus={focus}
          chosen={chosen}
          rates={rates}
          onChoose={choose}
        />
        {focus === undefined && tunnelsOf(world).length > mostTunnels ? (
          <p className="legend">
            Too many tunnels to draw at once: choose a network to see its own.
          </p>
        ) : null}
        <p className="legend soft">
          ● attached {'  '}◇ suspended: its host is down (✕) {'  '}┄ dashed: down, or large frames
          do not pass {'  '}on tunnels: what passes both ways on the underlay, probes among it
        </p>
      </Card>
      <Card className="third" title="The way">
        <Choice world={world} from={first} to={second} onChoose={setChosen} />
        {first === undefined || second === undefined ? (
          <Nothing title="No way is chosen">
            each step from one endpoint to another: names, holders, hosts, rows in the kernels
          </Nothing>
        ) : (
          <ExplainedWay from={first} to={second} revision={world.revision} />
        )}
      </Card>
      <Card className="wide" title="The same, as a table">
        <EndpointTable world={world} onChoose={choose} />
      </Card>
    </div>
  );
}

function Choice(props: {
  readonly world: World;
  readonly from: Endpoint | undefined;
  readonly to: Endpoint | undefined;
  readonly onChoose: (chosen: readonly string[]) => void;
}) {
  const { world, from, to, onChoose } = props;
  const all = byName(world.endpoints.values());
  const targets = all.filter(
    ({ id, networkId }) => id !== from?.id && networkId === from?.networkId,
  );
  const nameOf = ({ name, networkId }: Endpoint) =>
    `${name} · ${world.networks.get(networkId)?.name ?? networkId}`;
  const options = (endpoints: readonly Endpoint[]) => (
    <>
      <option value="">–</option>
      {endpoints.map((endpoint) => (
        <option key={endpoint.id} value={endpoint.id}>
          {nameOf(endpoint)}
        </option>
      ))}
    </>
  );
  return (
    <div className="choice">
      <label>
        From
        <select
          value={from?.id ?? ''}
          onChange={({ target }) => onChoose(target.value === '' ? [] : [target.value])}
        >
          {options(all)}
        </select>
      </label>
      <label>
        To
        <select
          value={to?.id ?? ''}
          disabled={from === undefined}
          onChange={({ target }) =>
            onChoose([from?.id ?? '', target.value].filter((each) => each !== ''))
          }
        >
          {options(targets)}
        </select>
      </label>
    </div>
  );
}
