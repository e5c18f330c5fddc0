// A host's share of the committed state: the networks that it has endpoints on, all endpoints of those, and the hosts
// behind them. What the registry pushes and the agent programs. How a share is derived and compared is libs/share's matter.

import { z } from 'zod';
import { addressSchema, cidrSchema, idSchema, macSchema, nameSchema } from './names';
import { engineSchema, sandboxSchema, subnetRecordSchema } from './state';

export const shareHostSchema = z.object({
  id: idSchema,
  vtep: addressSchema,
  /** False while the host is committed `down`: rows stay, names go. */
  live: z.boolean(),
});
export type ShareHost = z.output<typeof shareHostSchema>;

export const shareNetworkSchema = z.object({
  id: idSchema,
  name: nameSchema,
  vni: z.int(),
  /** Overlay MTU of every interface on it. */
  mtu: z.int(),
  internal: z.boolean(),
  subnets: z.array(subnetRecordSchema),
  /** `fence`: endpoints are silent as soon as their host's lease has run out. Absent: they never are. */
  onHostLoss: z.literal('fence').optional(),
  /** Broadcast and multicast reach members on other hosts. Absent: they stay on theirs. */
  multicast: z.literal(true).optional(),
});
export type ShareNetwork = z.output<typeof shareNetworkSchema>;

export const shareEndpointSchema = z.object({
  id: idSchema,
  networkId: idSchema,
  host: idSchema,
  name: nameSchema,
  aliases: z.array(nameSchema),
  service: nameSchema.optional(),
  addresses: z.array(cidrSchema),
  mac: macSchema,
  /** On the endpoint's own host only. */
  sandbox: sandboxSchema.optional(),
  /** On the endpoint's own host only. */
  engine: engineSchema.optional(),
});
export type ShareEndpoint = z.output<typeof shareEndpointSchema>;

/** A share has ten thousand endpoints: most are plain, and none is copied for being looked at. */
function isShareEndpoint(value: unknown): value is ShareEndpoint {
  return isPlain(value as Partial<ShareEndpoint> | null) || isWhole(value);
}

function isWhole(value: unknown): boolean {
  return shareEndpointSchema.safeParse(value).success;
}

/** Not all that the schema takes, and nothing that it does not. */
function isPlain(value: Partial<ShareEndpoint> | null): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, networkId, host, name, mac, addresses, aliases } = value;
  const isBare = (value.service ?? value.sandbox ?? value.engine) === undefined;
  return (
    isBare &&
    isText(id, plainId) &&
    isText(networkId, plainId) &&
    isText(host, plainId) &&
    isText(name, plainName) &&
    isText(mac, plainMac) &&
    Array.isArray(aliases) &&
    aliases.length === 0 &&
    Array.isArray(addresses) &&
    addresses.length === 1 &&
    isText(addresses[0], plainCidr)
  );
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

const plainId = /^[A-Za-z0-9_-]{1,64}$/;
const plainName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const plainMac = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;
const plainCidr = /^[0-9a-f.:/]{3,49}$/;

export const shareSchema = z.object({
  hosts: z.array(shareHostSchema),
  networks: z.array(shareNetworkSchema),
  endpoints: z.array(z.custom<ShareEndpoint>(isShareEndpoint, 'expected an endpoint')),
});
export type Share = z.output<typeof shareSchema>;

/** From one share to the next: whole items put in place of older ones, and ids that go. */
export const shareDeltaSchema = z.object({
  put: shareSchema,
  removed: z.object({
    hosts: z.array(idSchema),
    networks: z.array(idSchema),
    endpoints: z.array(idSchema),
  }),
});
export type ShareDelta = z.output<typeof shareDeltaSchema>;

/** Order-independent digest of a share, hexadecimal. */
export const digestSchema = z.string();
