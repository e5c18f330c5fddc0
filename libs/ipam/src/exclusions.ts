// Prefixes that no network may have: those of the configuration, those written into the store, and those that hosts route
// themselves. Writing one is a transaction on the table of all subnets, so that no network gets it meanwhile.

import { cidr, cidrText, overlaps, parseCidr } from '@skein/ip';
import { type HostRoute, type NetworkDirectory } from './directory';
import {
  accept,
  put,
  refuse,
  unchanged,
  type Cause,
  type Exclusion,
  type Keyspace,
  type Outcome,
  type Plan,
  type SubnetTable,
} from './records';
import { type Barrier, type SubnetPools } from './subnet-plan';

export const maxExclusions = 256;

export function barriersIn(
  { excluded = [] }: SubnetTable,
  pools: SubnetPools,
  routes: readonly HostRoute[],
): Barrier[] {
  return [
    ...pools.excluded.map((one) => ({
      cidr: one,
      code: 'subnet_excluded' as const,
      which: 'is excluded by ipam’s configuration',
      facts: { excludedBy: 'configuration' },
    })),
    ...excluded.map((one) => ({
      cidr: cidr(one.cidr),
      code: 'subnet_excluded' as const,
      which: one.reason === undefined ? 'is excluded' : `is excluded: ${one.reason}`,
      facts: { excludedBy: 'store', reason: one.reason, since: one.created.at },
    })),
    ...routes.map((route) => ({
      cidr: route.cidr,
      code: 'subnet_routed' as const,
      which: `host ${route.host} routes`,
      facts: { host: route.host },
    })),
  ];
}

/** Idempotent: what is excluded already gets the new reason. Refused where a network has (part of) it. */
export function planExclusion(
  wish: { readonly cidr: string; readonly reason?: string | undefined },
  { table, nameOf }: NetworkDirectory,
  { keys, cause }: { keys: Keyspace; cause: Cause },
): Outcome<Plan<Exclusion>> {
  const parsed = parseCidr(wish.cidr);
  if (!parsed.ok) {
    const facts = { cidr: wish.cidr, reason: parsed.reason };
    return refuse('subnet_malformed', parsed.message, { field: 'cidr', facts });
  }
  const text = cidrText(parsed.value);
  const used = table.record.subnets.find((one) => overlaps(cidr(one.cidr), parsed.value));
  if (used !== undefined) {
    const network = nameOf(used.networkId);
    const facts = { cidr: text, overlaps: used.cidr, network };
    const message = `${text} overlaps ${used.cidr} of network ${network}`;
    return refuse('subnet_overlap', message, { field: 'cidr', facts });
  }
  const others = (table.record.excluded ?? []).filter((one) => one.cidr !== text);
  if (others.length >= maxExclusions) {
    const facts = { limit: maxExclusions };
    return refuse('invalid_request', `${maxExclusions} prefixes are excluded already`, { facts });
  }
  const { reason } = wish;
  const exclusion = { cidr: text, ...(reason === undefined ? {} : { reason }), created: cause };
  return accept(rewrite([...others, exclusion], exclusion, { table, keys }));
}

/** Answers null in place of a plan if nothing of the store excludes the prefix. */
export function planInclusion(
  text: string,
  { table }: Pick<NetworkDirectory, 'table'>,
  { keys }: { keys: Keyspace },
): Plan<Exclusion> | null {
  const parsed = parseCidr(text);
  const name = parsed.ok ? cidrText(parsed.value) : text;
  const { excluded = [] } = table.record;
  const exclusion = excluded.find((one) => one.cidr === name);
  if (exclusion === undefined) return null;
  return rewrite(
    excluded.filter((one) => one !== exclusion),
    exclusion,
    { table, keys },
  );
}

function rewrite(
  excluded: readonly Exclusion[],
  reply: Exclusion,
  { table, keys }: Pick<NetworkDirectory, 'table'> & { keys: Keyspace },
): Plan<Exclusion> {
  const { excluded: _, ...rest } = table.record;
  const record = excluded.length === 0 ? rest : { ...rest, excluded };
  const compare = [unchanged(keys.subnetTable, table.modRevision)];
  return { transaction: { compare, success: [put(keys.subnetTable, record)] }, reply };
}
