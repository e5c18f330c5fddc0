// Entry point of the process behind a world's way out: `SOCKET HOST PORT`. It ends when its standard input does.

import { rmSync } from 'node:fs';
import { relayTo } from './relay';

const [socket = '', host = '', port = ''] = process.argv.slice(2);

process.stdin.on('close', () => {
  rmSync(socket, { force: true });
  process.exit(0);
});
process.stdin.resume();
rmSync(socket, { force: true });
relayTo({ host, port: Number(port) }).listen(socket);
