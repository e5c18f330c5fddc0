// The steps that the wire decides: whether the underlay carries what the network sends, and what came back when the hosts last
// tried. Pure.

import type { TriedWay } from '@skein/contracts';
import { overlayMtuOf } from '@skein/share';
import type { NetworkEntry } from '../state/entries';
import { step, type End, type Step } from './step';

/** `mtu`: of the network, as its hosts are told. */
export function mtuStep(network: NetworkEntry, mtu: number, ends: readonly End[]): Step {
  const hosts = ends.flatMap(({ host }) => host ?? []);
  const carried = hosts.map((host) => ({ host: host.id, carriesMtu: overlayMtuOf(host) }));
  const tight = carried.find(({ carriesMtu }) => carriesMtu < mtu);
  const facts = { networkId: network.id, mtu, isGiven: network.mtu !== undefined, hosts: carried };
  if (tight !== undefined) {
    const detail = `Network ${network.name} has an MTU of ${mtu}; the underlay of ${tight.host} carries ${tight.carriesMtu}`;
    return step('mtu', false, detail, facts);
  }
  const origin =
    network.mtu === undefined ? ', the most that its hosts carry' : ', as it was given';
  return step('mtu', true, `Network ${network.name} has an MTU of ${mtu}${origin}`, facts);
}

/** What the host of `at` found when it last tried the way to that of `target`. */
export function probeStep(network: NetworkEntry, at: End, target: End): Step {
  const [from, to] = [nameOf(at), nameOf(target)];
  const facts = { host: at.endpoint.host, to: target.endpoint.host };
  if ('unreachable' in at.status) {
    const detail = `What ${from} finds on the way to ${to} is unknown: its agent does not answer`;
    return step('probe', false, detail, facts);
  }
  const way = at.status.ways?.find(
    ({ networkId, host }) => networkId === network.id && host === target.endpoint.host,
  );
  if (way === undefined || way.state === null) {
    return step('probe', true, `Host ${from} has not tried the way to ${to} often enough yet`, {
      ...facts,
      state: null,
    });
  }
  const { networkId: _network, host: _host, ...found } = way;
  return step('probe', way.state === 'ok', words(way, from, to), { ...facts, ...found });
}

const nameOf = ({ endpoint, host }: End): string => host?.name ?? endpoint.host;

function words(way: TriedWay, from: string, to: string): string {
  const last = way.answeredAgoMs === undefined ? '' : `, last ${ago(way.answeredAgoMs)}`;
  switch (way.state) {
    case 'ok': {
      const rtt = way.rttMs === undefined ? '' : `, ${way.rttMs} ms there and back`;
      return `Host ${from} reaches ${to} with frames of full size, MTU ${way.mtu}${rtt}${last}`;
    }
    case 'damaged':
      return `Frames from ${from} to ${to} come changed${last}`;
    case 'small': {
      const size = way.carriesMtu === undefined ? '' : ` (up to an MTU of ${way.carriesMtu})`;
      return `Only small frames${size} get from ${from} to ${to} and back, not those of an MTU of ${way.mtu}${last}`;
    }
    default:
      return `Nothing that ${from} sends to ${to} inside the overlay comes back${last}`;
  }
}

const ago = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s ago` : `${Math.round(ms / 1_000)} s ago`;
