// The graph's nodes and lines for a world, as Cytoscape takes them. Pure but for the colours, which it is given.

import type { ElementDefinition } from 'cytoscape';
import type { Reachability } from '../../gateway/live';
import { tunnelsOf, type Placement } from '../../model/placement';
import { rateText, tunnelRate, type Rate, type Rates } from '../../model/traffic';
import { isSuspended, type World } from '../../model/world';

export interface Look {
  readonly colorOf: (networkId: string) => string;
  readonly reachability: Reachability | undefined;
  /** Only this network is shown in full strength. */
  readonly focus: string | undefined;
  readonly chosen: readonly string[];
  /** What passes; none: it is not shown. */
  readonly rates?: Rates | undefined;
}

/** From a line to a band, by powers of ten from 100 kbit/s to 10 Gbit/s. */
function widthOf({ bitsPerSecond }: Rate): number {
  const powers = Math.log10(Math.max(1e5, bitsPerSecond)) - 5;
  return 2.5 + 2 * Math.min(5, powers);
}

/** Beyond it tunnels are thin, and only the focused network's are drawn. */
export const mostTunnels = 150;

export function elementsOf(world: World, placement: Placement, look: Look): ElementDefinition[] {
  return [
    ...hostElements(world, placement),
    ...endpointElements(world, placement, look),
    ...tunnelElements(world, look),
  ];
}

function hostElements({ hosts }: World, { hosts: points, box }: Placement): ElementDefinition[] {
  return [...hosts.values()].flatMap(({ id, name, state }) => {
    const position = points.get(id);
    if (position === undefined) return [];
    const label = state === 'up' ? name : `✕ ${name}`;
    const classes = state === 'up' ? 'host' : 'host down';
    return [
      {
        group: 'nodes',
        data: { id: `host ${id}`, label, box, room: `${box + 56}px` },
        position: { ...position },
        classes,
      },
    ];
  });
}

function endpointElements(world: World, { endpoints: points }: Placement, look: Look) {
  return [...world.endpoints.values()].flatMap((endpoint): ElementDefinition[] => {
    const { id, name, networkId } = endpoint;
    const position = points.get(id);
    if (position === undefined) return [];
    const classes = [
      'endpoint',
      ...(isSuspended(world, endpoint) ? ['suspended'] : []),
      ...(look.chosen.includes(id) ? ['chosen'] : []),
      ...(look.focus === undefined || look.focus === networkId ? [] : ['faded']),
    ].join(' ');
    const data = { id, label: name, color: look.colorOf(networkId) };
    return [{ group: 'nodes', data, position: { ...position }, classes }];
  });
}

function tunnelElements(world: World, look: Look): ElementDefinition[] {
  const { focus, chosen, reachability } = look;
  const all = tunnelsOf(world);
  const shown = focus === undefined ? all : all.filter(({ networkId }) => networkId === focus);
  const isMany = shown.length > mostTunnels;
  const found = new Map(reachability?.pairs.map((pair) => [`${pair.from} ${pair.to}`, pair.state]));
  const [first, second] = chosen.map((id) => world.endpoints.get(id));
  return shown.flatMap(({ id, networkId, from, to }): ElementDefinition[] => {
    const hosts = [world.hosts.get(from), world.hosts.get(to)];
    if (hosts.includes(undefined)) return [];
    const isCut = hosts.some((host) => host?.state !== 'up');
    const isWay =
      second !== undefined &&
      first?.networkId === networkId &&
      [first.host, second.host].sort().join(' ') === [from, to].sort().join(' ');
    if (isMany && focus === undefined && !isWay) return [];
    const ways = [found.get(`${from} ${to}`), found.get(`${to} ${from}`)];
    const worst = (['none', 'small', 'damaged'] as const).find((state) => ways.includes(state));
    const classes = [
      ...(isMany ? ['many'] : []),
      ...(isCut ? ['cut'] : worst === undefined ? [] : [worst]),
      ...(isWay ? ['way'] : []),
    ].join(' ');
    const rate =
      look.rates === undefined ? undefined : tunnelRate(look.rates, { networkId, from, to });
    const data = {
      id,
      label: rate === undefined || isMany ? '' : rateText(rate),
      width: rate === undefined ? 2.5 : widthOf(rate),
      source: `host ${from}`,
      target: `host ${to}`,
      color: look.colorOf(networkId),
    };
    return [{ group: 'edges', data, classes }];
  });
}
