// What a transaction could write, whichever branches run: one revision holds one event a key, so two operations that can both
// run must not write one key (etcd: "duplicate key given in txn request"). Two branches of one transaction never both run.

import { spanHolds, spanOf, type Span } from './span';
import { refuse, type Fault, type Operation, type TransactionOperation } from './types';

interface Put {
  readonly key: string;
  readonly path: string;
  /** Place of its operation in the branch: what one operation holds was looked at when it was gathered. */
  part: number;
}
interface Deletion {
  readonly span: Span;
  readonly path: string;
  part: number;
}

export function writesFault(request: TransactionOperation): Fault {
  return new Footprint().transaction(request, '');
}

class Footprint {
  readonly puts: Put[] = [];
  readonly deletions: Deletion[] = [];

  transaction({ success, failure }: TransactionOperation, path: string): Fault {
    return this.branch(success, `${path}success.`) ?? this.branch(failure, `${path}failure.`);
  }

  /** Adds what a branch could write, after a look at it by itself. */
  private branch(operations: readonly Operation[], path: string): Fault {
    const own = new Footprint();
    for (const [part, operation] of operations.entries()) {
      const fault = own.operation(operation, `${path}${part}.`, part);
      if (fault !== undefined) return fault;
    }
    const fault = operations.length > 1 ? own.overlap() : undefined;
    this.puts.push(...own.puts);
    this.deletions.push(...own.deletions);
    return fault;
  }

  private operation(operation: Operation, path: string, part: number): Fault {
    if (operation.type === 'put') this.puts.push({ key: operation.key, path, part });
    if (operation.type === 'delete') this.deletions.push({ span: spanOf(operation), path, part });
    if (operation.type !== 'txn') return undefined;
    const inner = new Footprint();
    const fault = inner.transaction(operation, path);
    this.puts.push(...inner.puts.map((put) => ({ ...put, part })));
    this.deletions.push(...inner.deletions.map((deletion) => ({ ...deletion, part })));
    return fault;
  }

  private overlap(): Fault {
    const puts = this.puts.sort((one, other) =>
      one.key < other.key ? -1 : one.key > other.key ? 1 : one.part - other.part,
    );
    for (const [at, put] of puts.entries()) {
      const before = puts[at - 1];
      if (before?.key === put.key && before.part !== put.part) return twice(put.key, put.path);
    }
    for (const { span, path, part } of this.deletions) {
      const from = span.single ? span.key : span.from;
      for (let at = firstFrom(puts, from); at < puts.length; at += 1) {
        const put = puts[at];
        if (put === undefined || !spanHolds(span, put.key)) break;
        if (put.part !== part) return twice(put.key, path);
      }
    }
    return undefined;
  }
}

function firstFrom(puts: readonly Put[], key: string): number {
  let low = 0;
  let high = puts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((puts[middle]?.key ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function twice(key: string, path: string): Fault {
  return refuse('invalid_request', 'A transaction writes a key at most once', {
    field: `${path}key`,
    facts: { key },
  });
}
