// Endpoints of the engine: made with an address that is held, or with one that another driver chose and that is claimed now; joined to
// a sandbox that the engine alone enters; left and deleted, whatever was heard of them before.

import { cidr, cidrText, contains, parseAddress, parseMac } from '@skein/ip';
import { resolverRoute } from '@skein/names';
import { sourceName } from '@skein/vxlan';
import { reply, type Action } from './actions';
import { attach } from './address-calls';
import { refuse, type Hold } from './book';
import type { Known } from './door';
import { bare, type KnownNetwork } from './networks';
import type { CallOf } from './protocol';

/** Interfaces are called `eth0`, `eth1`, … inside. */
const interfacePrefix = 'eth';
const connected = 1;

export function createEndpoint(body: CallOf<'NetworkDriver.CreateEndpoint'>, known: Known): Action {
  const { EndpointID: engineId, NetworkID: engineNetwork } = body;
  const asked = body.Interface ?? { Address: '', AddressIPv6: '', MacAddress: '' };
  const plain = [asked.Address, asked.AddressIPv6].flatMap((text) => bare(text) ?? []);
  const mac = asked.MacAddress === '' ? undefined : parseMac(asked.MacAddress);
  if (mac?.ok === false)
    return refuse('invalid_request', `'${asked.MacAddress}' is no MAC address`);
  const same = known.book.byEngineId(engineId);
  if (same !== undefined) {
    return same.addresses.length === 0 ? { kind: 'wait', id: same.id } : made(same, mac?.value);
  }
  const binding = known.book.bindings.get(engineNetwork);
  const hold = holdFor(plain, mac?.value, binding?.network, known);
  if (hold?.addresses.length === 0) return { kind: 'wait', id: hold.id };
  if (hold?.engineId !== undefined) {
    return refuse('address_taken', `${plain.join(', ')} belongs to an endpoint that is there`);
  }
  const hasMac = mac !== undefined;
  if (hold !== undefined && (mac === undefined || mac.value === hold.mac)) {
    const next = { ...hold, engineId };
    known.book.put(next);
    return made(next, mac?.value);
  }
  const network = hold?.network ?? binding?.network;
  if (network === undefined) {
    return refuse('network_not_found', `The engine's network ${engineNetwork} is not known here`);
  }
  return attach(known, {
    network,
    ...(hasMac ? { mac: mac.value } : {}),
    ...(plain.length === 0 ? {} : { addresses: plain }),
    then: { reply: 'endpoint', engineId, hasMac },
    ...(hold === undefined ? {} : { instead: hold.id }),
  });
}

/** What was held for this endpoint: by its address on the network, else on any if the engine's network was never heard of. */
function holdFor(
  plain: readonly string[],
  mac: string | undefined,
  network: string | undefined,
  { book }: Known,
): Hold | undefined {
  const [first] = plain;
  if (first === undefined) return undefined;
  if (network !== undefined) return book.byAddress(network, first);
  return [...book.holds.values()].find(
    (hold) => hold.mac === mac && book.byAddress(hold.network, first) === hold,
  );
}

function made({ mac }: Hold, given: string | undefined): Action {
  return reply({ Interface: given === undefined ? { MacAddress: mac } : {} });
}

export function join(body: CallOf<'NetworkDriver.Join'>, known: Known): Action {
  const { EndpointID: engineId, SandboxKey: sandbox } = body;
  const hold = known.book.byEngineId(engineId);
  if (hold === undefined) {
    return refuse('endpoint_not_found', `The engine's endpoint ${engineId} is not known here`);
  }
  const network = known.find(hold.network);
  if (network === undefined && !known.isFresh) return { kind: 'ask' };
  // The engine would look for an interface that is not there.
  if (!hold.isPlugged) return { kind: 'plug', id: hold.id };
  const others = known.book.inSandbox(sandbox).filter(({ id }) => id !== hold.id);
  const taken = new Set(others.map(({ resolverRoute: nth }) => nth));
  let nth = hold.resolverRoute ?? 0;
  while (taken.has(nth)) nth += 1;
  known.book.put({ ...hold, sandbox, resolverRoute: nth });
  return reply({
    InterfaceName: { SrcName: sourceName(hold.id), DstPrefix: interfacePrefix },
    StaticRoutes: routesOf(hold, network, nth),
    // Without a gateway the engine adds its own bridge as the way out; an internal network has none.
    ...(network?.internal === true ? { DisableGatewayService: true } : {}),
  });
}

/** The network's other subnets, which share the link, and the resolver. */
function routesOf({ addresses }: Hold, network: KnownNetwork | undefined, nth: number) {
  const own = addresses.flatMap((text) => {
    const parsed = parseAddress(text.split('/')[0] ?? '');
    return parsed.ok ? [parsed.value] : [];
  });
  const subnets = (network?.subnets ?? [])
    .map((each) => cidr(each.cidr))
    .filter((subnet) => own.some(({ family }) => family === subnet.family))
    .filter((subnet) => !own.some((address) => contains(subnet, address)))
    .map(cidrText);
  const resolver = own.some(({ family }) => family === 4) ? resolverRoute(nth) : null;
  return [...subnets, ...(resolver === null ? [] : [resolver])].map((Destination) => ({
    Destination,
    RouteType: connected,
  }));
}

export function leave({ EndpointID }: CallOf<'NetworkDriver.Leave'>, { book }: Known): Action {
  const hold = book.byEngineId(EndpointID);
  if (hold === undefined) return reply();
  const { sandbox: _, resolverRoute: __, ...rest } = hold;
  book.put(rest);
  return reply();
}

/** The interface stays for as long as the address: its release follows, unless another driver has it. */
export function deleteEndpoint(
  { EndpointID }: CallOf<'NetworkDriver.DeleteEndpoint'>,
  { book }: Known,
): Action {
  const hold = book.byEngineId(EndpointID);
  if (hold === undefined) return reply();
  const { sandbox: _, resolverRoute: __, engineId: ___, ...rest } = hold;
  book.put(rest);
  if (!hold.isClaimed && !hold.isReleased) return reply();
  return { kind: 'detach', id: hold.id, network: hold.network, body: {} };
}
