// The hard state as its one row, under a checksum of its own, with the log's end as it was when the row was written.

import { crc32 } from 'node:zlib';
import type { HardState } from '@skein/raft';
import type { Connection } from './schema';

export interface StateRow {
  readonly term: number;
  readonly vote: string | null;
  readonly committed: number;
  /** Of `recovery`: what the log has lost, while the leader has not yet said that all is well again. */
  readonly recovering: number;
  /** Number of the transaction. */
  readonly written: number;
  readonly last_index: number;
  readonly last_crc: number;
}

/** The number on disk: append only. */
export const recovery = { none: 0, entriesLost: 1, voteLost: 2 } as const;

export const initialState: StateRow = {
  term: 0,
  vote: null,
  committed: 0,
  recovering: 0,
  written: 0,
  last_index: 0,
  last_crc: 0,
};

export function stateCrc(row: StateRow): number {
  const { term, vote, committed, recovering, written, last_index, last_crc } = row;
  return crc32(`${term} ${vote} ${committed} ${recovering} ${written} ${last_index} ${last_crc}`);
}

/** Null if there is none, or not the one that was written. */
export function readState(connection: Connection): StateRow | null {
  const row = connection.prepare('SELECT * FROM state WHERE only = 1').get() as
    (StateRow & { crc: number }) | undefined;
  return row !== undefined && stateCrc(row) === row.crc ? row : null;
}

export function stateWriter(connection: Connection): (row: StateRow) => void {
  const put = connection.prepare(
    'INSERT INTO state (only, term, vote, committed, recovering, written, last_index, last_crc, crc) ' +
      'VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (only) DO UPDATE SET ' +
      'term = excluded.term, vote = excluded.vote, committed = excluded.committed, ' +
      'recovering = excluded.recovering, written = excluded.written, ' +
      'last_index = excluded.last_index, last_crc = excluded.last_crc, crc = excluded.crc',
  );
  return (row) => {
    const { term, vote, committed, recovering, written, last_index, last_crc } = row;
    put.run(term, vote, committed, recovering, written, last_index, last_crc, stateCrc(row));
  };
}

export function hardStateOf({ term, vote, committed, recovering }: StateRow): HardState {
  const hardState = { term, vote, commit: committed };
  if (recovering === recovery.none) return hardState;
  const isVoteLost = recovering === recovery.voteLost;
  return { ...hardState, isRecovering: true, ...(isVoteLost ? { isVoteLost } : {}) };
}

export function hardStateColumns(
  hardState: HardState,
): Pick<StateRow, 'term' | 'vote' | 'committed' | 'recovering'> {
  const { term, vote, commit: committed, isRecovering = false, isVoteLost = false } = hardState;
  const lost = isVoteLost ? recovery.voteLost : recovery.entriesLost;
  return { term, vote, committed, recovering: isRecovering ? lost : recovery.none };
}
