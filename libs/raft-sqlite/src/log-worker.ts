// The worker thread's program: opens the log that its data names, tells what was restored, then commits group after group.
// Anything that goes wrong is told once; then it does no more.

import { parentPort, workerData } from 'node:worker_threads';
import { LogDatabase } from './log-database';
import type { FromLogThread, ToLogThread } from './log-thread';
import { RaftLogError } from './raft-log-error';
import type { LogLocation } from './schema';

const port = parentPort;
if (port === null) throw new Error('raft log: the worker runs in a thread of its own');
const answer = (message: FromLogThread, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

try {
  const { database, restored } = LogDatabase.open(workerData as LogLocation);
  answer({ type: 'restored', log: restored }, [restored.bytes.buffer]);
  port.on('message', (message: ToLogThread) => {
    try {
      obey(database, message);
    } catch (thrown) {
      fail(thrown);
    }
  });
} catch (thrown) {
  fail(thrown);
}

function obey(database: LogDatabase, message: ToLogThread): void {
  if (message.type === 'close') {
    database.close();
    answer({ type: 'closed' });
    return;
  }
  database.commit(message.group);
  answer({ type: 'durable' });
  database.checkpointIfDue();
}

function fail(thrown: unknown): void {
  const { code, reason, facts } = RaftLogError.from(thrown);
  answer({ type: 'failed', fault: { code, reason, facts } });
}
