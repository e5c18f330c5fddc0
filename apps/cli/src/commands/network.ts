// skein network …

import { path, type Json } from '../client/api';
import { fields, time } from '../output/table';
import { demandConsent, type Session } from '../session';

export interface CreateOptions {
  readonly subnet?: string[];
  readonly range?: string;
  readonly gateway?: string;
  readonly reserve?: Record<string, string>;
  readonly ipv6?: boolean;
  readonly ipv4?: boolean;
  readonly allowOverlap?: boolean;
  readonly vni?: number;
  readonly mtu?: number;
  readonly internal?: boolean;
  readonly multicast?: boolean;
  readonly onHostLoss?: string;
  readonly label?: Record<string, string>;
}

export async function create({ api, out }: Session, name: string, options: CreateOptions) {
  const { subnet, range, gateway, reserve, label, ipv4, ipv6, ...rest } = options;
  const subnets = subnet?.map((cidr, index) => ({
    cidr,
    ...(index === 0 && range !== undefined ? { range } : {}),
    ...(index === 0 && gateway !== undefined ? { gateway } : {}),
    ...(index === 0 && reserve !== undefined ? { reserved: reserve } : {}),
  }));
  const families = [...(ipv4 === true ? ['ipv4'] : []), ...(ipv6 === true ? ['ipv6'] : [])];
  const body = {
    name,
    ...defined(rest),
    ...defined({ subnets, labels: label, families: families.length > 0 ? families : undefined }),
  };
  const made = await out.progress(`creating ${name}`, api.post('/v1/networks', body));
  out.show(made, describe);
}

export async function list({ api, out }: Session) {
  const networks = await api.list('/v1/networks', 'networks');
  out.show({ networks }, () =>
    out.table(
      ['name', 'id', 'vni', 'subnets', 'endpoints', 'hosts'],
      networks.map((each) => [
        each.name,
        each.id,
        each.vni,
        cidrs(each),
        each.endpoints,
        each.hosts.length,
      ]),
      'no networks; `skein network create <name>` makes one',
    ),
  );
}

export async function show({ api, out }: Session, network: string) {
  out.show(await api.get(path`/v1/networks/${network}`), describe);
}

export async function remove(
  { api, out }: Session,
  network: string,
  options: { force?: boolean; yes?: boolean },
) {
  if (!(await demandConsent(`Delete network ${network}?`, options.yes ?? false))) return;
  const gone = await api.delete(path`/v1/networks/${network}`, { force: options.force });
  out.show(gone, () => `deleted ${network} at revision ${gone.revision}`);
}

export async function addSubnet(
  { api, out }: Session,
  network: string,
  cidr: string,
  options: { range?: string; gateway?: string; reserve?: Record<string, string> },
) {
  const { range, gateway, reserve: reserved } = options;
  const body = { cidr, ...defined({ range, gateway, reserved }) };
  out.show(await api.post(path`/v1/networks/${network}/subnets`, body), describe);
}

export async function exclusions({ api, out }: Session) {
  const found = { exclusions: await api.list('/v1/exclusions', 'exclusions') };
  out.show(found, () =>
    out.table(
      ['prefix', 'kept by', 'why', 'since'],
      found.exclusions.map((each: Json) => [
        each.cidr,
        each.host === undefined ? each.excludedBy : `host ${each.host}`,
        each.reason,
        time(each.created?.at),
      ]),
      'networks may have any prefix',
    ),
  );
}

export async function exclude({ api, out }: Session, cidr: string, options: { reason?: string }) {
  const made = await api.post('/v1/exclusions', { cidr, ...defined({ reason: options.reason }) });
  out.show(made, () => `no network gets any of ${made.exclusion.cidr}`);
}

export async function include({ api, out }: Session, cidr: string) {
  const gone = await api.delete('/v1/exclusions', { cidr });
  out.show(gone, () => `networks may have ${gone.exclusion.cidr} again`);
}

export async function addresses({ api, out }: Session, network: string) {
  const from = path`/v1/networks/${network}/addresses`;
  const usage = await api.get(from, { limit: 1_000 });
  while (usage.cursor !== undefined) {
    const next = await api.get(from, { limit: 1_000, cursor: usage.cursor });
    usage.holders.push(...next.holders);
    usage.cursor = next.cursor;
  }
  out.show(usage, () => {
    const subnets = out.table(
      ['subnet', 'total', 'used', 'resting', 'reserved'],
      usage.subnets.map((each: Json) => [
        each.cidr,
        each.total,
        each.used,
        each.resting,
        each.reserved,
      ]),
      'no subnets',
    );
    const holders = out.table(
      ['address', 'state', 'holder', 'host', 'since', 'request'],
      usage.holders.map((each: Json) => [
        each.address,
        each.state,
        each.endpointId ?? each.reservedAs ?? each.kind,
        each.host,
        time(each.cause?.at),
        each.cause?.request,
      ]),
      'nobody holds an address',
    );
    return `${subnets}\n\n${holders}`;
  });
}

function describe(network: Json): string {
  return fields([
    ['name', network.name],
    ['id', network.id],
    ['vni', network.vni],
    ['subnets', cidrs(network)],
    ['gateways', network.subnets.map((subnet: Json) => subnet.gateway).join(', ')],
    ['mtu', network.mtu],
    ['internal', network.internal],
    ['multicast', network.multicast === true ? 'to all members' : 'stays on its host'],
    ['on host loss', network.onHostLoss],
    ['endpoints', network.endpoints],
    ['hosts', network.hosts.join(', ')],
    ['created', `${time(network.created.at)} by ${network.created.request}`],
    ['revision', network.revision],
  ]);
}

function cidrs(network: Json): string {
  return network.subnets.map((subnet: Json) => subnet.cidr).join(', ');
}

function defined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
