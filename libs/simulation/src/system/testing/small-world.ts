// A committed history and kernels, made by hand, for tests of the checkers: two hosts, one network, endpoints where a test wants
// them.

import { keys, type KeyValue, type RevisionEvents } from '@skein/contracts';
import { desiredOf, plan } from '@skein/vxlan';
import { Place } from '../place';
import { EventQueue } from '../../event-queue';
import { Random } from '../../random';
import { CommittedHistory } from '../committed';
import type { Host } from '../host';
import { SimulatedKernel } from '../kernel';
import { Violations } from '../violations';

const cause = { request: 'test', at: 0 };

export class SmallWorld {
  readonly queue = new EventQueue();
  readonly violations = new Violations(() => this.queue.nowMs);
  readonly committed = new CommittedHistory(() => this.queue.nowMs);
  readonly hosts = new Map<string, Host>();
  private revision = 0;

  constructor(onHostLoss: 'keep' | 'fence' = 'keep') {
    const network = {
      id: 'n1',
      name: 'web',
      vni: 100,
      subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.1', reserved: {} }],
      attachable: true,
      internal: false,
      multicast: false,
      encrypted: false,
      onHostLoss,
      labels: {},
      created: cause,
    };
    this.put(keys.network('n1'), network);
    for (const index of [1, 2, 3]) this.addHost(index);
  }

  get rules(): string[] {
    return [...new Set(this.violations.list.map(({ rule }) => rule))];
  }

  private addHost(index: number): void {
    const id = `h${index}`;
    const vtep = `192.0.2.${index}`;
    const place = new Place(id, this.queue, new Random(index), () => undefined);
    place.start();
    const conditions = { readMs: 1, changeMs: 1, refusal: 0 };
    const clock = { monotonicMs: () => this.queue.nowMs, wallMs: () => place.time.wallMs() };
    const kernel = new SimulatedKernel(new Random(index), conditions, clock, () => undefined);
    const settings = { vtep, vxlanPort: 4_789, netnsPrefix: 'skein-' };
    this.hosts.set(id, { id, vtep, place, kernel, settings } as unknown as Host);
    this.putHost(id, 'up');
  }

  putHost(id: string, state: 'up' | 'down', more: { readonly isDraining?: true } = {}): void {
    this.put(keys.host(id), {
      ...more,
      id,
      name: id,
      vtep: this.host(id).vtep,
      gossip: 'x',
      underlayMtu: 1_500,
      bootId: 'b',
      epoch: 1,
      state,
      since: 0,
      labels: {},
    });
  }

  host(id: string): Host {
    return this.hosts.get(id) as Host;
  }

  /** Commits an endpoint, and opens its sandbox. */
  attach(id: string, host: string, address: string, mac = macOf(address)): number {
    const sandbox = `/run/netns/${id}`;
    this.host(host).kernel.openSandbox(sandbox);
    return this.put(keys.endpoint('n1', id), {
      id,
      networkId: 'n1',
      host,
      name: id,
      aliases: [],
      addresses: [`${address}/24`],
      mac,
      sandbox: { netns: sandbox },
      labels: {},
      created: cause,
    });
  }

  detach(id: string): number {
    return this.commit(keys.endpoint('n1', id), '', 'delete');
  }

  /** Makes the host's kernel what the committed state says, as of now. */
  async program(hostId: string): Promise<void> {
    const host = this.host(hostId);
    const share = this.committed.state.shareOf(hostId);
    const desired = desiredOf(share, hostId, host.settings);
    const changes = plan(desired, host.kernel.whole());
    let isDone = false;
    const applying = host.kernel.doorFor(host.place.time).apply(changes);
    void applying.then(() => (isDone = true));
    for (let turn = 0; turn < 1_000 && !isDone; turn += 1) {
      this.queue.runNext();
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    if (!isDone) throw new Error('the kernel was not programmed');
  }

  private put(key: string, record: object): number {
    return this.commit(key, JSON.stringify(record), 'put');
  }

  private commit(key: string, value: string, type: 'put' | 'delete'): number {
    this.revision += 1;
    const { revision } = this;
    const kv: KeyValue = {
      key,
      value,
      createRevision: revision,
      modRevision: revision,
      version: 1,
    };
    this.last = { revision, at: 0, events: [{ type, kv }] };
    this.committed.take(this.last);
    return revision;
  }

  last: RevisionEvents = { revision: 0, at: 0, events: [] };
}

function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}
