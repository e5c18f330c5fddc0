// A door with a registry that the test plays: it gives addresses, refuses what is taken, and takes back; nothing awaits.

import type { Action, AttachOrder } from '../actions';
import { Book } from '../book';
import { Door } from '../door';
import type { KnownNetwork } from '../networks';
import { readCall, type Method } from '../protocol';

export const web: KnownNetwork = {
  id: 'n1',
  name: 'web',
  internal: false,
  subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: { printer: '10.1.0.9' } }],
};
export const dual: KnownNetwork = {
  id: 'n2',
  name: 'dual',
  internal: true,
  subnets: [
    { cidr: '10.2.0.0/24', gateway: '10.2.0.1', reserved: {} },
    { cidr: 'fd00:2::/64', gateway: 'fd00:2::1', reserved: {} },
  ],
};

export interface PlayedEndpoint {
  readonly id: string;
  readonly network: string;
  readonly addresses: readonly string[];
  readonly mac: string;
}

export class PlayedRegistry {
  readonly networks: KnownNetwork[] = [web, dual];
  readonly endpoints = new Map<string, PlayedEndpoint>();
  door = new Door();
  nowMs = 0;
  /** False: the host's kernel does not get to its interfaces. */
  isPlugging = true;
  #ids = 0;

  /** The agent ends and starts again, with the book as it was written. */
  restart(): void {
    this.door = new Door(Book.parse(this.door.book.toText()));
  }

  /** As the engine sees it: the reply's body, or the error's text. */
  call(method: Method, body: object): object | string {
    const read = readCall(method, JSON.stringify(body));
    if (!read.ok) return `invalid_request: ${read.field}`;
    let isFresh = false;
    for (let round = 0; round < 6; round += 1) {
      const action = this.door.handle(read.call, {
        find: (reference) => this.find(reference),
        newId: `e${(this.#ids += 1)}`,
        nowMs: this.nowMs,
        isFresh,
      });
      const answer = this.#act(action);
      if (answer !== null) return answer;
      isFresh = true;
    }
    return 'unavailable: no end';
  }

  find(reference: string): KnownNetwork | undefined {
    return this.networks.find(({ id, name }) => id === reference || name === reference);
  }

  #act(action: Action): object | string | null {
    switch (action.kind) {
      case 'reply':
        return action.body;
      case 'refuse':
        return `${action.code}: ${action.message}`;
      case 'ask':
        return null;
      case 'wait':
        throw new Error('nothing is under way between two calls');
      case 'plug':
        if (!this.isPlugging) return 'unavailable: not in time';
        this.door.plugged(action.id);
        return null;
      case 'declare':
        this.networks.push({
          id: `declared-${action.network.name}`,
          ...{ name: action.network.name, internal: action.network.internal },
          subnets: action.network.subnets.map(({ cidr, gateway = cidr, reserved = {} }) => ({
            ...{ cidr, gateway, reserved },
          })),
        });
        return null;
      case 'attach':
        return this.#attach(action.order);
      case 'detach':
        this.endpoints.delete(action.id);
        this.door.detached(action.id);
        return action.body;
    }
  }

  #attach(order: AttachOrder): object | string | null {
    const { id, network: networkId, mac = `02:00:00:00:00:${this.#ids}`, instead } = order;
    if (instead !== undefined) this.endpoints.delete(instead);
    const others = [...this.endpoints.values()].filter(({ network }) => network === networkId);
    const held = new Set(others.flatMap(({ addresses }) => addresses));
    const network = this.find(networkId);
    const wanted = order.addresses ?? [];
    const addresses = (network?.subnets ?? []).map(({ cidr }) => {
      const [start = '', length] = cidr.split('/');
      const prefix = start.replace(/0$/, '');
      const asked = wanted.find((text) => text.startsWith(prefix));
      if (asked !== undefined) return `${asked}/${length}`;
      for (let last = 2; ; last += 1) {
        if (!held.has(`${prefix}${last}/${length}`)) return `${prefix}${last}/${length}`;
      }
    });
    if (addresses.some((text) => held.has(text)) || others.some((each) => each.mac === mac)) {
      this.door.failed(order);
      return 'address_taken: by another';
    }
    this.endpoints.set(id, { id, network: networkId, addresses, mac });
    const attached = { addresses, mac, isPlugged: this.isPlugging };
    return this.#act(this.door.attached(order, attached, (reference) => this.find(reference)));
  }
}

/** The engine's side, in its order. */
export const macOf = (number: number) => `02:42:ff:00:00:${String(number).padStart(2, '0')}`;

export function addressRequest(poolId: string, mac: string, address = ''): object {
  return {
    PoolID: poolId,
    Address: address,
    Options: { 'com.docker.network.endpoint.macaddress': mac },
  };
}
