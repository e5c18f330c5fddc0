// What the graph shows, in rows, for those who read rather than look.

import { useState } from 'react';
import { byName, isSuspended, type World } from '../../model/world';
import { Nothing } from '../../parts/card';
import { StateMark } from '../../parts/state-mark';

const pageRows = 50;

export function EndpointTable(props: {
  readonly world: World;
  readonly onChoose: (endpointId: string) => void;
}) {
  const { world, onChoose } = props;
  const [wanted, setWanted] = useState('');
  const [rows, setRows] = useState(pageRows);
  const all = byName(world.endpoints.values()).map((endpoint) => ({
    endpoint,
    network: world.networks.get(endpoint.networkId)?.name ?? endpoint.networkId,
    host: world.hosts.get(endpoint.host)?.name ?? endpoint.host,
  }));
  const found = all.filter(({ endpoint, network, host }) =>
    [endpoint.name, network, host, ...endpoint.addresses].some((each) => each.includes(wanted)),
  );
  if (all.length === 0)
    return (
      <Nothing title="Nothing is attached">
        <code>skein attach</code> attaches the first endpoint
      </Nothing>
    );
  return (
    <>
      <label className="find">
        Find{' '}
        <input
          type="search"
          value={wanted}
          placeholder="name, address, network, host"
          onChange={({ target }) => setWanted(target.value)}
        />{' '}
        <span className="soft">
          {found.length} of {all.length}
        </span>
      </label>
      <div className="scroll" tabIndex={0} role="region" aria-label="Endpoints, table">
        <table>
          <thead>
            <tr>
              <th scope="col">Endpoint</th>
              <th scope="col">Network</th>
              <th scope="col">Host</th>
              <th scope="col">Addresses</th>
              <th scope="col">State</th>
              <th scope="col">
                <span className="unseen">What can be done</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, rows).map(({ endpoint, network, host }) => (
              <tr key={endpoint.id}>
                <th scope="row">{endpoint.name}</th>
                <td>{network}</td>
                <td>{host}</td>
                <td className="mono">{endpoint.addresses.join(', ')}</td>
                <td>
                  {isSuspended(world, endpoint) ? (
                    <StateMark tone="bad">suspended</StateMark>
                  ) : (
                    <StateMark tone="good">live</StateMark>
                  )}
                </td>
                <td className="number">
                  <button className="plain" onClick={() => onChoose(endpoint.id)}>
                    Choose<span className="unseen"> {endpoint.name} for the way</span>
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.length > rows ? (
        <button className="plain" onClick={() => setRows(rows + 200)}>
          Show more
        </button>
      ) : null}
    </>
  );
}
