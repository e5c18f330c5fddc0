// Docker's plugin protocol as far as the network and address drivers go: each call's request. It takes fields that it does not
// know and empty bodies, since engines from 20.10 to 29 differ, and refuses those that it knows and can't read.

import { z } from 'zod';

/** Ids that an engine makes are 64 hexadecimal digits; other lengths are taken too. */
const engineId = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'expected an id');
const text = z.string().max(256);
/** Options hold anything; what concerns Skein is looked for where it is used. */
const options = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((given) => given ?? {});

const poolDataSchema = z.looseObject({
  AddressSpace: text.default(''),
  Pool: text,
  /** With prefix length; empty where there is none. */
  Gateway: text.default(''),
  AuxAddresses: z
    .record(z.string(), text)
    .nullish()
    .transform((given) => given ?? {}),
});
export type PoolData = z.output<typeof poolDataSchema>;

const pools = z
  .array(poolDataSchema)
  .max(64)
  .nullish()
  .transform((given) => given ?? []);

const interfaceSchema = z.looseObject({
  Address: text.default(''),
  AddressIPv6: text.default(''),
  MacAddress: text.default(''),
});

const nothing = z.looseObject({});
const endpoint = { NetworkID: engineId, EndpointID: engineId };

/** By the path of the call. */
export const requestSchemas = {
  'Plugin.Activate': nothing,
  'NetworkDriver.GetCapabilities': nothing,
  'NetworkDriver.CreateNetwork': z.looseObject({
    NetworkID: engineId,
    Options: options,
    IPv4Data: pools,
    IPv6Data: pools,
  }),
  'NetworkDriver.DeleteNetwork': z.looseObject({ NetworkID: engineId }),
  'NetworkDriver.CreateEndpoint': z.looseObject({
    ...endpoint,
    Interface: interfaceSchema.nullish(),
    Options: options,
  }),
  'NetworkDriver.EndpointOperInfo': z.looseObject(endpoint),
  'NetworkDriver.DeleteEndpoint': z.looseObject(endpoint),
  'NetworkDriver.Join': z.looseObject({ ...endpoint, SandboxKey: text.default('') }),
  'NetworkDriver.Leave': z.looseObject(endpoint),
  'NetworkDriver.ProgramExternalConnectivity': z.looseObject(endpoint),
  'NetworkDriver.RevokeExternalConnectivity': z.looseObject(endpoint),
  'NetworkDriver.DiscoverNew': nothing,
  'NetworkDriver.DiscoverDelete': nothing,
  'IpamDriver.GetCapabilities': nothing,
  'IpamDriver.GetDefaultAddressSpaces': nothing,
  'IpamDriver.RequestPool': z.looseObject({
    Pool: text.default(''),
    SubPool: text.default(''),
    Options: options,
    V6: z.boolean().default(false),
  }),
  'IpamDriver.ReleasePool': z.looseObject({ PoolID: text }),
  'IpamDriver.RequestAddress': z.looseObject({
    PoolID: text,
    Address: text.default(''),
    Options: options,
  }),
  'IpamDriver.ReleaseAddress': z.looseObject({ PoolID: text, Address: text }),
} as const;

export type Method = keyof typeof requestSchemas;
export type CallOf<M extends Method> = z.output<(typeof requestSchemas)[M]>;

/** A call that was understood. */
export type Call = {
  readonly [M in Method]: { readonly method: M; readonly body: CallOf<M> };
}[Method];

export type ReadCall =
  | { readonly ok: true; readonly call: Call }
  | { readonly ok: false; readonly field: string; readonly message: string };

export function isMethod(text: string): text is Method {
  return Object.hasOwn(requestSchemas, text);
}

/** An empty body counts as an empty object: calls without arguments have none. */
export function readCall(method: Method, bodyText: string): ReadCall {
  let body: unknown;
  try {
    body = bodyText.trim() === '' ? {} : JSON.parse(bodyText);
  } catch {
    return { ok: false, field: 'body', message: 'the body is not JSON' };
  }
  const parsed = requestSchemas[method].safeParse(body);
  if (parsed.success) return { ok: true, call: { method, body: parsed.data } as Call };
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  return {
    ok: false,
    field: field === '' ? 'body' : field,
    message: issue?.message ?? 'malformed',
  };
}

/** What an engine reads an error from: the two drivers' keys differ. */
export function errorBody(method: string, message: string): Record<string, string> {
  return method.startsWith('IpamDriver.') ? { Error: message } : { Err: message };
}
