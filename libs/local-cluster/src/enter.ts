// The command line that runs a program in a container of a local cluster, from outside of its private world.

import type { RunRecord } from './run-record';
import { enterCommand } from './supervisor';
import { netnsOfContainer } from './network';
import { netnsOfHost } from './service-list';

export function commandInWorld(
  record: RunRecord,
  programs: { nsenter: string; unshare: string; mount: string },
  place: { container: string } | { host: string } | { world: true },
  argv: readonly string[],
): string[] {
  const user = record.userNamespace ? ['--user', '--preserve-credentials'] : [];
  const world = [
    programs.nsenter,
    '--target',
    String(record.supervisor.pid),
    ...user,
    '--mount',
    '--pid',
    '--net',
    '--ipc',
    '--',
  ];
  if ('world' in place) return [...world, ...argv];
  if ('host' in place)
    return [...world, ...enterCommand(programs, netnsOfHost(place.host), undefined, argv)];
  return [
    ...world,
    ...enterCommand(programs, netnsOfContainer(place.container), place.container, argv),
  ];
}
