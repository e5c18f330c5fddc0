// Clients that use the store as services do, all at once and with little patience: registers that all share, keys of their own,
// transactions, leases that are renewed for a while, and watches. What they did stands in the recorder.

import type { RevisionEvents, Watch } from '@skein/store-client';
import type { Messenger } from '@skein/messaging';
import { HistoryRecorder, type Asked, type RecordingClient } from './history';
import { pick, wait } from './waiting';

export interface WorkloadOptions {
  readonly connect: () => Promise<Messenger>;
  readonly registerClients: number;
  readonly appendClients: number;
  readonly leaseClients: number;
  readonly watchers: number;
  /** Patience of one operation and rest after it, in milliseconds. */
  readonly timeoutsMs: readonly number[];
  readonly restMs: number;
}

/** What one watch was told. */
export interface Watched {
  readonly prefix: string;
  /** First revision that it must be told of, if it holds something of the prefix. */
  from: number;
  readonly seen: RevisionEvents[];
  through: number;
  readonly watch: Watch;
}

/** Operations on a shared register before it is left for a new one: the search for an order grows with their number. */
const registerLife = 250;

export class Workload {
  readonly recorder = new HistoryRecorder();
  readonly watched: Watched[] = [];
  private isRunning = true;
  private readonly work: Promise<void>[] = [];
  private registerOperations = 0;

  constructor(private readonly options: WorkloadOptions) {}

  async start(): Promise<void> {
    const { registerClients, appendClients, leaseClients, watchers } = this.options;
    for (let n = 0; n < watchers; n += 1) await this.watch(pick(['', 'register/', 'append/1']), 1);
    for (let n = 0; n < registerClients; n += 1)
      await this.begin(n, (...at) => this.register(...at));
    for (let n = 0; n < appendClients; n += 1) await this.begin(n, (...at) => this.append(...at));
    for (let n = 0; n < leaseClients; n += 1) await this.begin(n, (...at) => this.lease(...at));
  }

  /** Resolves when every client has ended what it had begun. */
  async stop(): Promise<void> {
    this.isRunning = false;
    await Promise.all(this.work);
  }

  closeWatches(): void {
    for (const { watch } of this.watched) watch.close();
  }

  /** One more watch, from a revision on or from now on. */
  async watch(prefix: string, fromRevision?: number): Promise<void> {
    const client = this.recorder.client(await this.options.connect());
    const seen: RevisionEvents[] = [];
    const told: Watched = {
      prefix,
      from: fromRevision ?? Infinity,
      seen,
      through: 0,
      watch: client.store.watch({
        prefix,
        previous: true,
        ...(fromRevision === undefined ? {} : { fromRevision }),
        onEvents: (revisions) => void seen.push(...revisions),
        onProgress: (revision) => void (told.through = revision),
      }),
    };
    this.watched.push(told);
    if (fromRevision !== undefined) return;
    void told.watch.opened.then((revision) => (told.from = revision + 1));
  }

  private async begin(
    n: number,
    work: (client: RecordingClient, n: number) => Promise<void>,
  ): Promise<void> {
    this.work.push(work(this.recorder.client(await this.options.connect()), n));
  }

  private get patience() {
    return { timeoutMs: pick(this.options.timeoutsMs) };
  }

  private rest(): Promise<void> {
    return wait(this.options.restMs * (0.5 + Math.random()));
  }

  private async register(client: RecordingClient, me: number): Promise<void> {
    let last = '';
    for (let n = 0; this.isRunning; n += 1) {
      const generation = Math.floor(this.registerOperations / registerLife / 3);
      const key = `register/${generation}/${n % 3}`;
      this.registerOperations += 1;
      const value = `${me}.${n}`;
      const kind = pick(['put', 'get', 'swap', 'get', 'swap', 'delete'] as const);
      if (kind === 'get') last = (await this.get(client, key)) ?? last;
      else if (kind === 'put') await this.put(client, key, value);
      else if (kind === 'swap') await this.swap(client, { key, value, expected: last });
      else await this.remove(client, key);
      await this.rest();
    }
  }

  private async get(client: RecordingClient, key: string): Promise<string | undefined> {
    const reply = await client.record({ kind: 'get', key }, () =>
      client.store.range({ key }, this.patience),
    );
    return reply === undefined ? undefined : (reply.kvs[0]?.value ?? '');
  }

  private put(client: RecordingClient, key: string, value: string) {
    return client.record({ kind: 'put', key, value }, () =>
      client.store.put({ key, value, previous: true }, this.patience),
    );
  }

  private remove(client: RecordingClient, key: string) {
    return client.record({ kind: 'delete', key }, () =>
      client.store.delete({ key, previous: true }, this.patience),
    );
  }

  private swap(client: RecordingClient, asked: Omit<Extract<Asked, { kind: 'swap' }>, 'kind'>) {
    const { key, value, expected } = asked;
    const holds =
      expected === ''
        ? ({ key, target: 'version', operator: '=', value: 0 } as const)
        : ({ key, target: 'value', operator: '=', value: expected } as const);
    const success = [{ type: 'put', key, value } as const];
    const failure = [{ type: 'range', key } as const];
    return client.record({ kind: 'swap', ...asked }, () =>
      client.store.txn({ compare: [holds], success, failure }, this.patience),
    );
  }

  /** Keys of its own, some of them two at once. */
  private async append(client: RecordingClient, me: number): Promise<void> {
    for (let n = 0; this.isRunning; n += 1) {
      const key = `append/${me}/${n}`;
      const value = `${key}:${'x'.repeat(n % 200)}`;
      if (n % 4 === 0) {
        const puts = { [key]: value, [`${key}/twin`]: value };
        const success = Object.entries(puts).map(
          ([each, text]) => ({ type: 'put', key: each, value: text }) as const,
        );
        await client.record({ kind: 'txn', puts }, () =>
          client.store.txn({ success }, this.patience),
        );
      } else await this.put(client, key, value);
      await this.rest();
    }
  }

  /** Grants, renews for a while, then ends it or lets it run out. */
  private async lease(client: RecordingClient, me: number): Promise<void> {
    for (let n = 0; this.isRunning; n += 1) {
      const ttlMs = pick([600, 900, 1_500]);
      const granted = await client.record({ kind: 'grant', ttlMs }, () =>
        client.store.grantLease({ ttlMs }, this.patience),
      );
      if (granted === undefined) continue;
      const { lease } = granted;
      const key = `lease/${me}/${n}`;
      await client.record({ kind: 'put', key, value: lease }, () =>
        client.store.put({ key, value: lease, lease, previous: true }, this.patience),
      );
      for (let renewals = pick([0, 1, 4, 8]); renewals > 0 && this.isRunning; renewals -= 1) {
        await wait(ttlMs / 3);
        await client.record({ kind: 'keepAlive', lease }, () =>
          client.store.keepAlive(lease, this.patience),
        );
      }
      if (Math.random() < 0.3) {
        await client.record({ kind: 'revoke', lease }, () =>
          client.store.revokeLease(lease, this.patience),
        );
      }
    }
  }
}
