// What clients of the simulated cluster wish for: reads and writes of a few shared keys, transactions that
// compare, leases. It must not know what becomes of them.
import type { KeyValue, Operation, RangeRequest, StoreRequest } from '@skein/store';
import type { Random } from '../random';
import type { Call, Wish } from './answers';
import type { ClusterConditions } from './options';
import type { ReadLevel } from './read-level';

const levels: readonly ReadLevel[] = [
  'linearizable',
  'linearizable',
  'linearizable',
  'lease',
  'lease',
  'bounded',
  'stale',
];

export class Wishes {
  private valueNumber = 0;
  /** What was last seen of each key. */
  private readonly seen = new Map<string, KeyValue>();
  private leases: string[] = [];
  private lastRevision = 0;

  constructor(
    private readonly random: Random,
    private readonly conditions: ClusterConditions,
  ) {}

  draw(): Wish {
    const { random } = this;
    if (random.chance(this.conditions.readShare)) return this.drawRead();
    const draw = random.next();
    if (draw < 0.1 && this.leases.length > 0) {
      return { kind: 'keepAlive', lease: random.pick(this.leases) };
    }
    return { kind: 'write', request: this.drawWrite() };
  }

  private drawRead(): Wish {
    const { random } = this;
    const level = random.pick(levels);
    const isWide = random.chance(0.3);
    const isHistoric = random.chance(0.08) && this.lastRevision > 1;
    const range: RangeRequest = {
      key: isWide ? 'k' : this.drawKey(),
      ...(isWide ? { prefix: true } : {}),
      ...(isHistoric ? { revision: random.between(1, this.lastRevision) } : {}),
    };
    return { kind: 'read', level, range };
  }

  private drawWrite(): StoreRequest {
    const { random } = this;
    const key = this.drawKey();
    const draw = random.next();
    if (draw < 0.35) return { ...this.drawPut(key), previous: random.chance(0.3) };
    if (draw < 0.5) return { type: 'delete', key, previous: random.chance(0.5) };
    if (draw < 0.53) return { type: 'delete', key: 'k', prefix: true };
    if (draw < 0.75) return this.drawSwap(key);
    if (draw < 0.88) return this.drawPair(key);
    if (draw < 0.96 || this.leases.length === 0) {
      return { type: 'grantLease', ttlMs: random.pick([150, 400, 1_500]) };
    }
    const lease = random.pick(this.leases);
    this.leases = this.leases.filter((each) => each !== lease);
    return { type: 'revokeLease', lease };
  }

  private drawKey(): string {
    return `k${this.random.int(this.conditions.keys)}`;
  }

  private drawPut(key: string): Extract<Operation, { type: 'put' }> {
    const { random } = this;
    this.valueNumber += 1;
    const padding = random.chance(0.1) ? 'x'.repeat(random.int(600)) : '';
    const put = { type: 'put', key, value: `${this.valueNumber}${padding}` } as const;
    const hasLease = random.chance(0.15) && this.leases.length > 0;
    return hasLease ? { ...put, lease: random.pick(this.leases) } : put;
  }

  /** Compare and swap, on what was last seen. */
  private drawSwap(key: string): StoreRequest {
    const modRevision = this.seen.get(key)?.modRevision ?? 0;
    return {
      type: 'txn',
      compare: [{ key, target: 'modRevision', operator: '=', value: modRevision }],
      success: [this.drawPut(key)],
      failure: [{ type: 'range', key }],
    };
  }

  /** Two keys in one revision. */
  private drawPair(key: string): StoreRequest {
    const other = this.drawKey();
    const isDelete = this.random.chance(0.3);
    const second: Operation = isDelete ? { type: 'delete', key: other } : this.drawPut(other);
    const success = other === key ? [this.drawPut(key)] : [this.drawPut(key), second];
    return { type: 'txn', compare: [], success, failure: [] };
  }

  /** Remembers what a call has shown, for later wishes. */
  learned({ wish, read, write }: Call): void {
    if (read !== null) {
      this.lastRevision = Math.max(this.lastRevision, read.revision);
      if (wish.kind === 'read' && wish.range.prefix !== true) this.seen.delete(wish.range.key);
      for (const kv of read.kvs) this.seen.set(kv.key, kv);
    }
    if (write?.ok !== true) return;
    this.lastRevision = Math.max(this.lastRevision, write.reply.revision);
    if (wish.kind === 'write' && wish.request.type === 'grantLease' && 'lease' in write.reply) {
      this.leases = [...this.leases, write.reply.lease].slice(-6);
    }
  }
}
