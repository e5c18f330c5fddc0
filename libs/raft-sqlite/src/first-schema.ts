// Directories of the first release: tables of other names, no snapshots, no identity. Read once and written anew in one
// transaction; an entry's checksum stays valid as it is.

import { schemaVersion, encodeIdentity } from './identity';
import { RaftLogError } from './raft-log-error';
import { createTables, type Connection, type LogLocation } from './schema';
import { demandOwner } from './identity';
import { initialState, stateWriter } from './state-row';

interface LastEntry {
  readonly log_index: number;
  readonly crc: number;
}

export function readFirstSchema(connection: Connection, location: LogLocation): void {
  const read = connection.prepare('SELECT value FROM meta WHERE name = ?').pluck();
  const version = String(read.get('schema_version'));
  if (version !== '1') {
    throw new RaftLogError('schema_unknown', `The log has schema ${version}`, { version });
  }
  const clusterId = String(read.get('cluster_id'));
  const replicaId = String(read.get('replica_id'));
  demandOwner({ clusterId, replicaId }, location);
  const hardState = connection.prepare('SELECT term, vote, committed FROM hard_state').get() as
    Pick<typeof initialState, 'term' | 'vote' | 'committed'> | undefined;
  const last = connection
    .prepare('SELECT log_index, crc FROM entries ORDER BY log_index DESC LIMIT 1')
    .get() as LastEntry | undefined;
  const identity = { schema: schemaVersion, clusterId, replicaId, epoch: 0, generation: 0 };
  connection.transaction(() => {
    createTables(connection);
    connection.exec(
      'INSERT INTO entry SELECT log_index, term, kind, 0, 0, crc, data FROM entries;' +
        'DROP TABLE entries; DROP TABLE hard_state; DROP TABLE meta;',
    );
    connection
      .prepare('INSERT INTO identity (only, line) VALUES (1, ?)')
      .run(encodeIdentity({ ...identity, keys: [], replacing: null }));
    const end = { last_index: last?.log_index ?? 0, last_crc: last?.crc ?? 0 };
    stateWriter(connection)({ ...initialState, ...hardState, ...end });
  })();
}
