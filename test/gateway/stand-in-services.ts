// Small services that stand where registry, ipam and consensus would, so that the gateway can be tried alone. They speak the
// real contracts over a real NATS server and keep just enough state to answer.

import {
  createEndpointsContract,
  createEndpointsEachContract,
  createNetworkContract,
  eventsContract,
  getNetworkContract,
  listEndpointsContract,
  listHostsContract,
  listNetworksContract,
  networkCreatedEvent,
  reachabilityContract,
  SkeinError,
  trafficContract,
  type EndpointSpec,
  type HistoryEvent,
  type NetworkView,
} from '@skein/contracts';
import { Messenger } from '@skein/messaging';
import { StandInCluster } from './stand-in-cluster';
import { StandInStore } from './stand-in-store';

export interface StandIns {
  readonly messenger: Messenger;
  readonly store: StandInStore;
  readonly cluster: StandInCluster;
  /** Requests that have reached a service, by request id and verb. */
  readonly seen: { requestId: string; verb: string }[];
  happen(type: string, networkId: string): HistoryEvent;
  stop(): Promise<void>;
}

export async function startStandIns(natsUrl: string): Promise<StandIns> {
  const messenger = await Messenger.connect({ servers: [natsUrl], name: 'stand-ins' });
  const seen: StandIns['seen'] = [];
  const events: HistoryEvent[] = [];
  const networks = new Map<string, NetworkView>();
  let revision = 10;

  const happen = (type: string, networkId: string): HistoryEvent => {
    revision += 1;
    const event = { revision, position: 0, at: 1_000, type, subject: networkId, body: {} };
    events.push(event);
    messenger.publishEvent(networkCreatedEvent, { revision, at: 1_000, networkId, name: 'n' });
    return event;
  };

  const fault = { code: 'sandbox_not_found', message: 'no such namespace' };
  const attached = (spec: EndpointSpec, id: string, request: string) => ({
    id,
    networkId: 'n1',
    network: 'web',
    host: spec.host,
    name: spec.name ?? id,
    aliases: [],
    addresses: ['10.1.0.2/24'],
    mac: '02:42:0a:01:00:02',
    labels: {},
    created: { request, at: 1_000 },
    state: 'live' as const,
    revision,
  });

  const store = new StandInStore(messenger);
  const cluster = new StandInCluster(messenger, store, () => revision);
  messenger
    .service({ name: 'ipam', version: '0.0.1', description: 'stand-in' })
    .serve(createNetworkContract, (spec, { requestId }) => {
      seen.push({ requestId, verb: 'create-network' });
      if ([...networks.values()].some((network) => network.name === spec.name)) {
        throw new SkeinError('network_name_taken', `'${spec.name}' is taken`, {
          field: 'name',
          facts: { network: 'n1' },
        });
      }
      const { subnets: _asked, families: _families, vni = 1, mtu: _mtu, ...others } = spec;
      const { allowOverlap: _overlap, ...rest } = others;
      const id = `n${networks.size + 1}`;
      const subnets = [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }];
      const network = { ...rest, id, vni, subnets, created: { request: requestId, at: 1_000 } };
      happen('network.created', id);
      networks.set(id, { ...network, revision, endpoints: 0, hosts: [] });
      return { network, revision };
    });
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(getNetworkContract, ({ network }) => {
      const found = [...networks.values()].find(
        ({ id, name }) => id === network || name === network,
      );
      if (found === undefined) throw new SkeinError('network_not_found', `no network '${network}'`);
      return found;
    });
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(listNetworksContract, ({ cursor }) => {
      // One network a page.
      const at = Number(cursor ?? 0);
      const all = [...networks.values()];
      const more = at + 1 < all.length ? { cursor: String(at + 1) } : {};
      return { networks: all.slice(at, at + 1), ...more, revision };
    });
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(listHostsContract, () => ({ hosts: [], revision }));
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(reachabilityContract, () => ({ hosts: [], pairs: [], revision }));
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(trafficContract, () => ({ silent: [], ways: [], revision }));
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(listEndpointsContract, () => ({ endpoints: [], revision }));
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(eventsContract, ({ from, prefix = '', limit }) => ({
      events: events
        .filter((event) => event.revision >= from && event.type.startsWith(prefix))
        .slice(0, limit),
      revision,
    }));
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(createEndpointsContract, ({ endpoints }, { requestId }) => {
      const taken = endpoints.findIndex((spec) => spec.addresses?.includes('10.1.0.5'));
      if (taken >= 0) {
        throw new SkeinError('address_taken', '10.1.0.5 has a holder', {
          field: `requests.${taken}.addresses.0`,
        });
      }
      seen.push({ requestId, verb: 'create-endpoints' });
      happen('endpoint.attached', 'n1');
      return {
        endpoints: endpoints.map((spec, index) => attached(spec, `e${index}`, requestId)),
        revision,
        behind: ['h3'],
        faults: [{ endpointId: 'e0', ...fault }],
      };
    });
  messenger
    .service({ name: 'registry', version: '0.0.1', description: 'stand-in' })
    .serve(createEndpointsEachContract, ({ attaches }) => ({
      attached: attaches.map(({ endpoint, request }, index) => {
        seen.push({ requestId: request, verb: 'create-endpoints-each' });
        happen('endpoint.attached', 'n1');
        const id = `e${index}`;
        const faults = [{ endpointId: id, ...fault }];
        return { ok: true as const, endpoint: attached(endpoint, id, request), faults };
      }),
      behind: ['h3'],
    }));
  await messenger.flush();
  const stop = (): Promise<void> => {
    store.stop();
    return messenger.drain();
  };
  return { messenger, seen, store, cluster, happen, stop };
}
