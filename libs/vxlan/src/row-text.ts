// A forwarding row as people see it in an agent's status: written by the agent, read by whoever judges what a host has programmed.

import { vxlanName } from './desired';
import type { ObservedRow } from './observed';

const noPort = 'no port';

export function rowText({ port, vteps }: ObservedRow): string {
  return [port ?? noPort, ...vteps].join(' ');
}

/** Whether the row's MAC is at a port of its own there: not behind the tunnel, where all other hosts are, and not nowhere. */
export function isPluggedRow(text: string): boolean {
  return !text.startsWith(noPort) && text.split(' ')[0] !== vxlanName;
}
