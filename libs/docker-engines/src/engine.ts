// One Docker engine on one host of a local cluster: where it keeps its things and the command line that starts it. Several run on
// one machine since each has its own folders, its own view of /run/docker, and a network namespace that the caller enters.

import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

export interface EnginePaths {
  /** The engine's API. */
  readonly socket: string;
  /** Where the engine looks for plugins: `NAME.sock`. */
  readonly plugins: string;
  /** Images and containers. */
  readonly dataRoot: string;
  /** Settings file: the machine's own is not read. */
  readonly settings: string;
  /** Sockets, namespaces and pids: in the private world's /run, gone with it. */
  readonly execRoot: string;
  readonly pidFile: string;
}

export function enginePaths(dataDir: string, host: string): EnginePaths {
  const folder = join(dataDir, 'engines', host);
  const run = join('/run/engines', host);
  return {
    socket: join(folder, 'docker.sock'),
    plugins: join(folder, 'plugins'),
    dataRoot: join(folder, 'data'),
    settings: join(folder, 'daemon.json'),
    execRoot: join(run, 'exec'),
    pidFile: join(run, 'dockerd.pid'),
  };
}

/**
 * Folders whose owners differ by engine are mounted over the one place in which dockerd looks for all of them; then a small init
 * takes in the shims that outlive their starters, and dockerd runs below it. A containerd dies with its dockerd, but where nobody
 * takes note of its end the next dockerd would wait for it: its pid is forgotten first.
 */
const script = [
  'mkdir -p /run/docker "$2"',
  'rm -f "$2/containerd/containerd.pid"',
  '"$0" -t tmpfs tmpfs /run/docker',
  'mkdir /run/docker/plugins',
  '"$0" --bind "$1" /run/docker/plugins',
  'shift 2',
  'exec "$@"',
].join(' && ');

export interface EngineOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly programs: { readonly unshare: string; readonly mount: string };
  /** Begins at the root of each hierarchy. Everything of the engine's containers is below it. */
  readonly cgroupParent: string;
}

/** To be run as root, in the host's network namespace; dockerd's pid is in the pid file. */
export function engineCommand(options: EngineOptions): string[] {
  const { dataDir, host, programs, cgroupParent } = options;
  const paths = enginePaths(dataDir, host);
  const { unshare, mount } = programs;
  return [
    ...[unshare, '--mount', '--', 'sh', '-c', script, mount, paths.plugins, paths.execRoot],
    ...['docker-init', '-s', '--', 'dockerd'],
    ...['--config-file', paths.settings],
    ...['--data-root', paths.dataRoot],
    ...['--exec-root', paths.execRoot],
    ...['--pidfile', paths.pidFile],
    ...['--host', `unix://${paths.socket}`],
    ...['--cgroup-parent', cgroupParent],
  ];
}

/** Makes the engine's folders and writes its settings. */
export function prepareEngine(
  dataDir: string,
  host: string,
  settings: Readonly<Record<string, unknown>> = {},
): void {
  const paths = enginePaths(dataDir, host);
  mkdirSync(paths.plugins, { recursive: true });
  mkdirSync(paths.dataRoot, { recursive: true });
  writeFileSync(paths.settings, JSON.stringify(settings));
}

/** True if an engine answers on this socket. */
export function engineAnswers(socketPath: string, timeoutMs = 2_000): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping', timeout: timeoutMs }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
