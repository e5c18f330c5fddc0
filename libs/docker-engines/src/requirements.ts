// What a machine must have for Docker engines in namespaces, told in words where it has not.

import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchies } from './cgroups';

const programs = ['dockerd', 'docker', 'containerd', 'runc', 'docker-init', 'iptables', 'busybox'];

/** Null: everything is there. */
export function lackingForEngines(
  path = process.env['PATH'] ?? '',
  more: string[] = [],
): string | null {
  if (process.getuid?.() !== 0) return 'a Docker engine needs root';
  const folders = `${path}:/usr/sbin:/sbin`.split(':');
  const has = (program: string): boolean =>
    folders.some((folder) => existsSync(join(folder, program)));
  const missing = [...programs, ...more].filter((program) => !has(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  const groups = hierarchies();
  if (groups.length === 0) return 'no control groups are mounted';
  if (!groups.some(isWritable)) return 'control groups are mounted read-only';
  if (!readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n')) {
    return 'the kernel has no overlay file system';
  }
  return null;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
