// What one network's resolver knows and answers: from the network's part of the share to answers. Pure: no packet, no socket,
// no clock.

import {
  cidr,
  contains,
  parsePrefixedAddress,
  reverseName,
  address,
  type Address,
  formatAddress,
} from '@skein/ip';

/** A network as far as names go; shares hold more of it. */
export interface NamedNetwork {
  readonly name: string;
  readonly subnets: readonly { readonly cidr: string; readonly gateway: string }[];
}

export interface NamedEndpoint {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly service?: string | undefined;
  /** With prefix length. */
  readonly addresses: readonly string[];
  /** On its own host only. */
  readonly sandbox?: { readonly netns: string } | undefined;
}

export type AnswerType = 'A' | 'AAAA' | 'PTR';

export interface ZoneRecord {
  readonly type: AnswerType;
  readonly data: string;
}

/** `foreign`: not a name of this network at all; whoever else is asked may know it. */
export type ZoneAnswer =
  | { readonly code: 'found'; readonly records: readonly ZoneRecord[] }
  | { readonly code: 'nameUnknown' }
  | { readonly code: 'foreign' };

const unknownName: ZoneAnswer = { code: 'nameUnknown' };
const foreign: ZoneAnswer = { code: 'foreign' };

export class Zone<Endpoint extends NamedEndpoint = NamedEndpoint> {
  readonly #network: NamedNetwork;
  readonly #endpoints = new Set<Endpoint>();
  readonly #suffix: string;
  /** Names and aliases, without the network's suffix. */
  readonly #names = new Map<string, Endpoint[]>();
  readonly #services = new Map<string, Endpoint[]>();
  /** Names by reverse name; made when the first such question comes. */
  #pointers: ReadonlyMap<string, string> | null = null;
  /** By address without prefix length; made when it is first asked for. */
  #holders: ReadonlyMap<string, Endpoint> | null = null;
  /** How many endpoints each sandbox has here. */
  readonly #sandboxes = new Map<string, number>();

  /** `endpoints` are those of this network whose host is live: others have no names. */
  constructor(network: NamedNetwork, endpoints: Iterable<Endpoint>) {
    this.#network = network;
    this.#suffix = `.${network.name}`;
    for (const endpoint of endpoints) this.add(endpoint);
  }

  get endpoints(): ReadonlySet<Endpoint> {
    return this.#endpoints;
  }

  add(endpoint: Endpoint): void {
    if (this.#endpoints.has(endpoint)) return;
    this.#endpoints.add(endpoint);
    this.#forget();
    this.#count(endpoint, 1);
    for (const name of namesOf(endpoint)) add(this.#names, name, endpoint);
    if (endpoint.service !== undefined) add(this.#services, endpoint.service, endpoint);
  }

  remove(endpoint: Endpoint): void {
    if (!this.#endpoints.delete(endpoint)) return;
    this.#forget();
    this.#count(endpoint, -1);
    for (const name of namesOf(endpoint)) remove(this.#names, name, endpoint);
    if (endpoint.service !== undefined) remove(this.#services, endpoint.service, endpoint);
  }

  /** The endpoint that holds the address, given in canonical text. */
  holderOf(text: string): Endpoint | undefined {
    this.#holders ??= new Map(
      [...this.#endpoints].flatMap((endpoint) =>
        addressesOf(endpoint).map((own): [string, Endpoint] => [formatAddress(own), endpoint]),
      ),
    );
    return this.#holders.get(text);
  }

  /** Whether an endpoint here is in the sandbox. */
  hasSandbox(netns: string): boolean {
    return this.#sandboxes.has(netns);
  }

  /** `turn` grows with each question, so that the records of a service take turns in being first. */
  answer(question: { readonly name: string; readonly type: string }, turn = 0): ZoneAnswer {
    const name = question.name.toLowerCase().replace(/\.$/, '');
    if (/\.(in-addr|ip6)\.arpa$/.test(name)) return this.#pointer(name, question.type);
    const bare = this.#withoutSuffix(name);
    if (bare === null) return foreign;
    const endpoints = this.#named(bare);
    if (endpoints === undefined) return unknownName;
    const records = endpoints.flatMap(addressesOf).map(recordOf);
    const wanted = records.filter(({ type }) => type === question.type || question.type === 'ANY');
    return { code: 'found', records: rotated(wanted, turn) };
  }

  #forget(): void {
    this.#pointers = null;
    this.#holders = null;
  }

  #count({ sandbox }: Endpoint, by: 1 | -1): void {
    if (sandbox === undefined) return;
    const count = (this.#sandboxes.get(sandbox.netns) ?? 0) + by;
    if (count === 0) this.#sandboxes.delete(sandbox.netns);
    else this.#sandboxes.set(sandbox.netns, count);
  }

  #named(bare: string): readonly Endpoint[] | undefined {
    if (bare.startsWith(tasksPrefix)) return this.#services.get(bare.slice(tasksPrefix.length));
    // An endpoint's own name is the narrower meaning.
    return this.#names.get(bare) ?? this.#services.get(bare);
  }

  /** The name as the zone lists it; null if it is none of this network's. */
  #withoutSuffix(name: string): string | null {
    if (name.endsWith(this.#suffix)) {
      const bare = name.slice(0, -this.#suffix.length);
      if (bare !== '' && isOwnShape(bare)) return bare;
    }
    return name !== '' && isOwnShape(name) ? name : null;
  }

  #pointer(name: string, type: string): ZoneAnswer {
    this.#pointers ??= pointersOf(this.#network, this.#endpoints);
    const known = this.#pointers.get(name);
    if (known !== undefined) {
      const isAsked = type === 'PTR' || type === 'ANY';
      return { code: 'found', records: isAsked ? [{ type: 'PTR', data: known }] : [] };
    }
    const asked = addressOfReverseName(name);
    const isOurs =
      asked !== null && this.#network.subnets.some((subnet) => contains(cidr(subnet.cidr), asked));
    return isOurs ? unknownName : foreign;
  }
}

function add<Endpoint>(names: Map<string, Endpoint[]>, name: string, endpoint: Endpoint): void {
  const known = names.get(name);
  if (known === undefined) names.set(name, [endpoint]);
  else known.push(endpoint);
}

function remove<Endpoint>(names: Map<string, Endpoint[]>, name: string, endpoint: Endpoint): void {
  const left = names.get(name)?.filter((each) => each !== endpoint) ?? [];
  if (left.length === 0) names.delete(name);
  else names.set(name, left);
}

const tasksPrefix = 'tasks.';

function namesOf({ name, aliases }: NamedEndpoint): readonly string[] {
  return aliases.length === 0 ? [name] : [name, ...aliases];
}

function addressesOf(endpoint: NamedEndpoint): Address[] {
  return endpoint.addresses.flatMap((text) => {
    const parsed = parsePrefixedAddress(text);
    return parsed.ok ? [parsed.value.address] : [];
  });
}

function pointersOf(
  network: NamedNetwork,
  endpoints: Iterable<NamedEndpoint>,
): Map<string, string> {
  const pointers = new Map<string, string>();
  for (const { gateway } of network.subnets) {
    pointers.set(reverseName(address(gateway)), `gateway.${network.name}`);
  }
  for (const endpoint of endpoints) {
    const name = `${endpoint.name}.${network.name}`;
    for (const own of addressesOf(endpoint)) pointers.set(reverseName(own), name);
  }
  return pointers;
}

/** A single label, or `tasks.` and one. */
function isOwnShape(bare: string): boolean {
  return /^(tasks\.)?[^.]+$/.test(bare);
}

function recordOf(of: Address): ZoneRecord {
  return { type: of.family === 4 ? 'A' : 'AAAA', data: formatAddress(of) };
}

function rotated(records: readonly ZoneRecord[], turn: number): readonly ZoneRecord[] {
  if (records.length < 2) return records;
  const first = turn % records.length;
  return [...records.slice(first), ...records.slice(0, first)];
}

function addressOfReverseName(name: string): Address | null {
  const labels = name.split('.').slice(0, -2).reverse();
  const isVersion4 = name.endsWith('.in-addr.arpa');
  const digits = labels.join('');
  const isWhole = isVersion4
    ? labels.length === 4 && labels.every((label) => /^(0|[1-9]\d{0,2})$/.test(label))
    : labels.length === 32 && labels.every((label) => /^[0-9a-f]$/.test(label));
  if (!isWhole) return null;
  if (isVersion4) {
    if (labels.some((label) => Number(label) > 255)) return null;
    return { family: 4, value: labels.reduce((sum, label) => (sum << 8n) | BigInt(label), 0n) };
  }
  return { family: 6, value: BigInt(`0x${digits}`) };
}
