// The subnets of a network as maps of their addresses, and the story of the one that the reader looks at.

import { useEffect, useState } from 'react';
import type { AddressRecord } from '@skein/contracts';
import { useLive, useSource } from '../../gateway/live-context';
import { readHolders } from '../../gateway/lists';
import { networkColors } from '../../model/palette';
import { byName } from '../../model/world';
import { Card, Nothing } from '../../parts/card';
import { NetworkLegend } from '../../parts/network-legend';
import { AddressGrid, AddressLegend } from './address-grid';
import { AddressStory } from './address-story';
import '../../style/topology.css';
import '../../style/addresses.css';

const settleMs = 300;

export default function AddressesView() {
  const { world } = useLive();
  const networks = byName(world.networks.values());
  const [wanted, setWanted] = useState<string>();
  const [address, setAddress] = useState<string>();
  const network = world.networks.get(wanted ?? '') ?? networks[0];
  const holders = useHolders(network?.id, world.revision);
  const nameOf = (id: string) => world.endpoints.get(id)?.name ?? id;
  if (network === undefined)
    return (
      <Card title="Addresses">
        <Nothing title="There is no network yet">
          <code>skein network create web</code> makes the first
        </Nothing>
      </Card>
    );
  return (
    <div className="grid">
      <Card className="most" title="Addresses" note={`of network ${network.name}`}>
        <NetworkLegend
          networks={networks}
          colors={networkColors(networks)}
          focus={network.id}
          onFocus={(id) => {
            setWanted(id ?? network.id);
            setAddress(undefined);
          }}
        />
        {(network.subnets ?? []).map((subnet) => (
          <AddressGrid
            key={`${network.id} ${subnet.cidr}`}
            subnet={subnet}
            holdings={holders}
            nameOf={nameOf}
            onLook={setAddress}
          />
        ))}
        <AddressLegend />
      </Card>
      <Card className="third follows" title="One address">
        <AddressStory address={address} network={network.id} revision={world.revision} />
      </Card>
    </div>
  );
}

/** All holders of a network, read anew a moment after something has changed. */
function useHolders(networkId: string | undefined, revision: number): readonly AddressRecord[] {
  const { client } = useSource();
  const [read, setRead] = useState<{ of: string; holders: readonly AddressRecord[] }>();
  useEffect(() => {
    if (networkId === undefined) return undefined;
    let isOver = false;
    const ask = () => {
      readHolders(client, networkId).then(
        (holders) => isOver || setRead({ of: networkId, holders }),
        () => undefined,
      );
    };
    const timer = window.setTimeout(ask, read?.of === networkId ? settleMs : 0);
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
    // What was read says only how soon to read again.
  }, [client, networkId, revision]);
  return read?.of === networkId ? (read?.holders ?? []) : [];
}
