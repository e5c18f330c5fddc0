// Datagrams from one namespace of a test world to another, and whether they are heard.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a datagram to port 9 is heard by `to` while `say`, run in `from`, sends it a few times. */
export async function heard(
  { from, to, at = '0.0.0.0' }: { from: string; to: string; at?: string },
  say: string,
): Promise<boolean> {
  const type = at.includes(':') ? 'udp6' : 'udp4';
  const program = `const s=require('dgram').createSocket({type:'${type}',reuseAddr:true});
    s.on('message',(m)=>{console.log('heard '+m);process.exit()});s.bind(9,'${at}',()=>console.log('ready'));
    setTimeout(()=>process.exit(),4000);`;
  const listener = spawn('nsenter', [
    `--net=/run/netns/${to}`,
    '--',
    process.execPath,
    '-e',
    program,
  ]);
  let text = '';
  listener.stdout.on('data', (part: Buffer) => (text += String(part)));
  await once(listener.stdout, 'data');
  const left = once(listener, 'exit');
  await run('nsenter', [`--net=/run/netns/${from}`, '--', process.execPath, '-e', say]);
  listener.kill('SIGKILL');
  await left;
  return text.includes('heard');
}

/** Says hello to `to` a few times, from `by` if given. */
export function hello(to: string, by?: string): string {
  const type = to.includes(':') ? 'udp6' : 'udp4';
  const bind = by === undefined ? '' : `s.bind(0,'${by}',()=>s.setBroadcast(true));`;
  return `const s=require('dgram').createSocket('${type}');s.on('error',()=>{});${bind}
    let n=0;setInterval(()=>{s.send('hello',9,'${to}',()=>{});if(++n>6)process.exit()},60);`;
}
