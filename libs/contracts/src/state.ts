// What Skein keeps in the store: each kind of key, and the JSON under it. This is the committed state that every service
// derives from; a key is built and taken apart nowhere else.

import { z } from 'zod';
import {
  addressSchema,
  cidrSchema,
  idSchema,
  labelsSchema,
  macSchema,
  nameSchema,
  revisionSchema,
  timeSchema,
} from './names';

export const stateRoot = '/skein/';

export const keys = {
  network: (networkId: string) => `${stateRoot}network/${networkId}`,
  networks: `${stateRoot}network/`,
  networkName: (name: string) => `${stateRoot}network-name/${name}`,
  vni: (vni: number) => `${stateRoot}vni/${vni}`,
  vnis: `${stateRoot}vni/`,
  /** One record of all subnets in use: creating a network compares its modRevision, so two can't take one subnet. */
  subnetTable: `${stateRoot}subnet-table`,
  host: (hostId: string) => `${stateRoot}host/${hostId}`,
  hosts: `${stateRoot}host/`,
  endpoint: (networkId: string, endpointId: string) =>
    `${stateRoot}endpoint/${networkId}/${endpointId}`,
  endpoints: (networkId: string) => `${stateRoot}endpoint/${networkId}/`,
  allEndpoints: `${stateRoot}endpoint/`,
  /** Names and aliases share one space a network. */
  endpointName: (networkId: string, name: string) =>
    `${stateRoot}endpoint-name/${networkId}/${name}`,
  endpointNames: (networkId: string) => `${stateRoot}endpoint-name/${networkId}/`,
  /** A declared service; the backends are the endpoints that name it. */
  service: (networkId: string, name: string) => `${stateRoot}service/${networkId}/${name}`,
  services: (networkId: string) => `${stateRoot}service/${networkId}/`,
  /** `sortable` is libs/ip's fixed-width hexadecimal form, so that a range of keys is a range of addresses. */
  address: (networkId: string, sortable: string) => `${stateRoot}address/${networkId}/${sortable}`,
  addresses: (networkId: string) => `${stateRoot}address/${networkId}/`,
  allAddresses: `${stateRoot}address/`,
  mac: (networkId: string, mac: string) => `${stateRoot}mac/${networkId}/${mac}`,
  macs: (networkId: string) => `${stateRoot}mac/${networkId}/`,
  actor: (kind: string, id: string) => `${stateRoot}actor/${kind}/${id}`,
  actors: `${stateRoot}actor/`,
  idempotency: (key: string) => `${stateRoot}idempotency/${key}`,
  joinToken: (id: string) => `${stateRoot}join-token/${id}`,
  joinTokens: `${stateRoot}join-token/`,
  /** Tokens of people and programs; not those with which hosts join. */
  accessToken: (id: string) => `${stateRoot}token/${id}`,
  accessTokens: `${stateRoot}token/`,
  accessUse: (id: string) => `${stateRoot}token-use/${id}`,
  accessUses: `${stateRoot}token-use/`,
  hostIdentity: (hostId: string) => `${stateRoot}host-identity/${hostId}`,
  removedHost: (hostId: string) => `${stateRoot}removed-host/${hostId}`,
} as const;

/** What a key is of; `other` are indices and locks, whose facts stand in the records as well. */
export type StateKey =
  | { readonly kind: 'network'; readonly networkId: string }
  | { readonly kind: 'host'; readonly hostId: string }
  | { readonly kind: 'endpoint'; readonly networkId: string; readonly endpointId: string }
  | { readonly kind: 'address'; readonly networkId: string; readonly sortable: string }
  | { readonly kind: 'other' };

/** Takes a key of the state apart. */
export function parseStateKey(key: string): StateKey {
  const parts = key.startsWith(stateRoot) ? key.slice(stateRoot.length).split('/') : [];
  const [noun, first, second] = parts;
  if (first === undefined) return { kind: 'other' };
  if (parts.length === 2 && noun === 'network') return { kind: 'network', networkId: first };
  if (parts.length === 2 && noun === 'host') return { kind: 'host', hostId: first };
  if (parts.length !== 3 || second === undefined) return { kind: 'other' };
  if (noun === 'endpoint') return { kind: 'endpoint', networkId: first, endpointId: second };
  if (noun === 'address') return { kind: 'address', networkId: first, sortable: second };
  return { kind: 'other' };
}

/** What any key of the state is of, indices included; `other` are locks and what later versions keep. */
export type RecordKey =
  | Exclude<StateKey, { kind: 'other' }>
  | { readonly kind: 'networkName'; readonly name: string }
  | { readonly kind: 'vni'; readonly vni: number }
  | { readonly kind: 'subnetTable' }
  | { readonly kind: 'endpointName'; readonly networkId: string; readonly name: string }
  | { readonly kind: 'mac'; readonly networkId: string; readonly mac: string }
  | { readonly kind: 'other' };

/** As `parseStateKey`, but tells indices apart as well. */
export function parseRecordKey(key: string): RecordKey {
  const state = parseStateKey(key);
  if (state.kind !== 'other') return state;
  if (key === keys.subnetTable) return { kind: 'subnetTable' };
  const parts = key.startsWith(stateRoot) ? key.slice(stateRoot.length).split('/') : [];
  const [noun, first, second] = parts;
  if (first === undefined) return { kind: 'other' };
  if (parts.length === 2 && noun === 'network-name') return { kind: 'networkName', name: first };
  if (parts.length === 2 && noun === 'vni') return { kind: 'vni', vni: Number(first) };
  if (parts.length !== 3 || second === undefined) return { kind: 'other' };
  if (noun === 'endpoint-name') return { kind: 'endpointName', networkId: first, name: second };
  if (noun === 'mac') return { kind: 'mac', networkId: first, mac: second };
  return { kind: 'other' };
}

/** A cause that P8 can name: which request, from whom, when the leader committed it. */
export const causeSchema = z.object({ request: z.string(), at: timeSchema });

export const subnetRecordSchema = z.object({
  cidr: cidrSchema,
  /** Dynamic addresses come from this part of the subnet only. */
  range: cidrSchema.optional(),
  gateway: addressSchema,
  reserved: z.record(z.string(), addressSchema).default({}),
});
export type SubnetRecord = z.output<typeof subnetRecordSchema>;

export const networkRecordSchema = z.object({
  id: idSchema,
  name: nameSchema,
  vni: z.int().min(1).max(0xffffff),
  subnets: z.array(subnetRecordSchema).min(1),
  attachable: z.boolean(),
  internal: z.boolean(),
  multicast: z.boolean(),
  encrypted: z.boolean(),
  onHostLoss: z.enum(['keep', 'fence']),
  /** Overlay MTU asked for; absent: derived from the hosts' underlay MTU. */
  mtu: z.int().min(576).max(65_485).optional(),
  labels: labelsSchema,
  /** Its subnets may overlap those of other networks, what is excluded and hosts' routes. */
  allowOverlap: z.boolean().optional(),
  created: causeSchema,
});
export type NetworkRecord = z.output<typeof networkRecordSchema>;

/** Prefixes that no network may have: the site's own. */
export const exclusionSchema = z.object({
  cidr: cidrSchema,
  reason: z.string().max(256).optional(),
  created: causeSchema,
});
export type Exclusion = z.output<typeof exclusionSchema>;

export const subnetTableSchema = z.object({
  subnets: z.array(z.object({ cidr: cidrSchema, networkId: idSchema })),
  excluded: z.array(exclusionSchema).optional(),
});
export type SubnetTable = z.output<typeof subnetTableSchema>;

export const hostRecordSchema = z.object({
  /** The host's own stable id; also a token of its subjects. */
  id: idSchema,
  name: nameSchema,
  /** Address of its VXLAN tunnel endpoint on the underlay. */
  vtep: addressSchema,
  /** Where its SWIM member listens: `address:port`. */
  gossip: z.string(),
  underlayMtu: z.int(),
  bootId: z.string(),
  /** Grows by one with each boot id. */
  epoch: z.int(),
  state: z.enum(['up', 'down']),
  /** When `state` last changed, and why. */
  since: timeSchema,
  reason: z.string().optional(),
  labels: labelsSchema,
  /** Prefixes that the host itself routes, without its default route. */
  routes: z.array(cidrSchema).max(256).optional(),
  /** Takes no new endpoints. */
  isDraining: z.literal(true).optional(),
  /** How often it went down lately; long times without forgive. */
  flaps: z.int().min(1).optional(),
  /** Boot ids that later ones have taken the place of, the latest last: they never come back. */
  formerBoots: z.array(z.string()).optional(),
});
export type HostRecord = z.output<typeof hostRecordSchema>;

/** What is kept of a host that was removed: its epoch goes on from here, and its boot does not come back. */
export const removedHostRecordSchema = z.object({
  id: idSchema,
  name: nameSchema,
  bootId: z.string(),
  epoch: z.int(),
  formerBoots: z.array(z.string()).optional(),
  /** An operator lets even its last boot come back. */
  isReadmitted: z.literal(true).optional(),
  removed: causeSchema,
});
export type RemovedHostRecord = z.output<typeof removedHostRecordSchema>;

export const sandboxSchema = z.object({
  /** Path of a network namespace on the endpoint's host, as in `/run/netns/x` or `/proc/<pid>/ns/net`. */
  netns: z.string().regex(/^\/[\w./-]{1,255}$/, 'expected an absolute path'),
  /** Name of the interface inside; default `eth0`, or the next free one. */
  interface: z
    .string()
    .regex(/^[a-z][a-z0-9_.-]{0,14}$/)
    .optional(),
});
export type Sandbox = z.output<typeof sandboxSchema>;

/** Kinds of container engine that plug an interface in by themselves. */
export const engineSchema = z.literal('docker');

export const endpointRecordSchema = z.object({
  id: idSchema,
  networkId: idSchema,
  host: idSchema,
  name: nameSchema,
  aliases: z.array(nameSchema),
  service: nameSchema.optional(),
  /** Addresses with the prefix length of their subnet: `10.1.0.5/24`. */
  addresses: z.array(cidrSchema).min(1),
  mac: macSchema,
  sandbox: sandboxSchema.optional(),
  /** Its engine takes the interface into the sandbox, which is told once that is done. */
  engine: engineSchema.optional(),
  labels: labelsSchema,
  created: causeSchema,
});
export type EndpointRecord = z.output<typeof endpointRecordSchema>;

export const serviceRecordSchema = z.object({
  networkId: idSchema,
  name: nameSchema,
  labels: labelsSchema.default({}),
  created: causeSchema,
});
export type ServiceRecord = z.output<typeof serviceRecordSchema>;

export const endpointNameRecordSchema = z.object({ endpointId: idSchema });

export const addressRecordSchema = z.object({
  address: addressSchema,
  networkId: idSchema,
  /** `resting`: released, and not given out again before `until` unless nothing else is free. */
  state: z.enum(['held', 'resting']),
  kind: z.enum(['endpoint', 'gateway', 'reserved']),
  /** Who holds it (or held it, while resting). */
  endpointId: idSchema.optional(),
  /** Name under which it is reserved. */
  reservedAs: z.string().optional(),
  host: idSchema.optional(),
  bootId: z.string().optional(),
  /** Fencing token of the activation that wrote it. */
  fencing: revisionSchema.optional(),
  until: timeSchema.optional(),
  cause: causeSchema,
});
export type AddressRecord = z.output<typeof addressRecordSchema>;

/** Under a network's name and under its VNI. */
export const networkOfSchema = z.object({ networkId: idSchema });
/** MAC addresses that do not follow from the holder's IPv4 address. */
export const macRecordSchema = z.object({ endpointId: idSchema });

export const activationRecordSchema = z.object({ replica: idSchema, at: timeSchema });
export type ActivationRecord = z.output<typeof activationRecordSchema>;
