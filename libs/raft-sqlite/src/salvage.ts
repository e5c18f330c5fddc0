// What a fresh file takes over from a damaged one: only what was found to be whole. Its replica is recovering: it may have
// forgotten a vote or an entry that it once confirmed, so it takes part in no decision until it has caught up.

import type { Mark } from './commit-mark';
import type { Found } from './examine';
import type { Connection } from './schema';
import { chunkPlace, maxSnapshotBytes, snapshotCrc, type ChunkRow } from './snapshot-table';
import { initialState, recovery, type StateRow } from './state-row';
import type { FreshContent } from './replacement';

const entriesPerTransaction = 1_000;
const chunksPerTransaction = 16;

/** Rows are copied as they are stored, sealed or not: their checksums hold wherever they are. */
export function copyFound(
  damaged: Connection | null,
  found: Omit<Found, 'faults'>,
  mark: Mark | null,
): Omit<FreshContent, 'identity'> {
  const fill = (fresh: Connection) => {
    if (damaged === null) return;
    copySnapshot(damaged, fresh, found);
    copyEntries(damaged, fresh, found);
  };
  return { state: stateAfterDamage(found, mark), fill };
}

function stateAfterDamage(found: Omit<Found, 'faults'>, mark: Mark | null): StateRow {
  const { state, snapshot, entries, end, sequence, isStateNewest } = found;
  const lastTerm = Math.max(snapshot?.term ?? 0, ...terms(entries));
  const kept = state ?? { ...initialState, term: lastTerm, committed: snapshot?.log_index ?? 0 };
  return {
    ...kept,
    term: Math.max(kept.term, lastTerm),
    // What is not there can't be said to be committed here.
    committed: Math.min(kept.committed, end.index),
    recovering: isStateNewest ? recovery.entriesLost : recovery.voteLost,
    written: Math.max(sequence, mark?.sequence ?? 0) + 1,
    last_index: end.index,
    last_crc: end.crc,
  };
}

/** Terms never fall along the log. */
function terms(entries: Found['entries']): number[] {
  const last = entries.at(-1);
  return last === undefined ? [] : [last.term];
}

function copySnapshot(damaged: Connection, fresh: Connection, { snapshot }: Omit<Found, 'faults'>) {
  if (snapshot === null) return;
  const { number } = snapshot;
  const read = damaged.prepare('SELECT * FROM chunk WHERE place BETWEEN ? AND ? ORDER BY place');
  const rows = read.iterate(chunkPlace(number, 0), chunkPlace(number, maxSnapshotBytes));
  const insert = fresh.prepare('INSERT INTO chunk (place, key, crc, data) VALUES (?, ?, ?, ?)');
  inTransactions(
    fresh,
    chunksPerTransaction,
    rows as IterableIterator<ChunkRow>,
    ({ place, key, crc, data }) => insert.run(place, key, crc, data),
  );
  const { log_index, term, configuration, size, stage, chain, entry_crc, written } = snapshot;
  const values = [log_index, term, configuration, size, stage, chain, entry_crc, written];
  fresh
    .prepare('INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(number, ...values, snapshotCrc(snapshot));
}

function copyEntries(damaged: Connection, fresh: Connection, found: Omit<Found, 'faults'>) {
  const read = damaged.prepare('SELECT * FROM entry WHERE log_index = ?');
  const insert = fresh.prepare(
    'INSERT INTO entry VALUES (@log_index, @term, @kind, @written, @key, @crc, @data)',
  );
  inTransactions(fresh, entriesPerTransaction, found.entries, ({ index }) =>
    insert.run(read.get(index)),
  );
}

function inTransactions<T>(
  connection: Connection,
  limit: number,
  items: Iterable<T>,
  act: (item: T) => void,
): void {
  let count = 0;
  for (const item of items) {
    if (count % limit === 0) connection.exec('BEGIN IMMEDIATE');
    act(item);
    count += 1;
    if (count % limit === 0) connection.exec('COMMIT');
  }
  if (count % limit !== 0) connection.exec('COMMIT');
}
