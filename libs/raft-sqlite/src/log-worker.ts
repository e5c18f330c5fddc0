// The worker thread's program: opens the log that its data names, tells what was restored, then does one thing after the other.
// Anything that goes wrong is told once; then it does no more.

import { parentPort, workerData } from 'node:worker_threads';
import type { LogDatabase } from './log-database';
import { obey, type FromLogThread, type ToLogThread } from './log-thread';
import { openLogDatabase, type OpenLocation } from './open-database';
import { RaftLogError } from './raft-log-error';

const port = parentPort;
if (port === null) throw new Error('raft log: the worker runs in a thread of its own');
const answer = (message: FromLogThread, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);
let hasFailed = false;

try {
  const { database, restored } = openLogDatabase(workerData as OpenLocation);
  answer({ type: 'restored', log: restored }, [restored.bytes.buffer]);
  port.on('message', (message: ToLogThread) => receive(database, message));
} catch (thrown) {
  fail(thrown);
}

function receive(database: LogDatabase, message: ToLogThread): void {
  if (hasFailed) return;
  try {
    if (message.verb === 'close') {
      database.close();
      answer({ type: 'done', answer: undefined });
      return;
    }
    answer({ type: 'done', answer: obey(database, message.verb, message.args) });
    database.checkpointIfDue();
  } catch (thrown) {
    fail(thrown);
  }
}

function fail(thrown: unknown): void {
  const error = RaftLogError.from(thrown);
  const { fault } = error;
  if (error.isRefusal) {
    answer({ type: 'refused', fault });
    return;
  }
  hasFailed = true;
  answer({ type: 'failed', fault });
}
