// The guard of a fenced network, in nftables' words: bridge ports are heard as long as they stand in a set whose elements the
// kernel itself times out, and never after a time of day. Text and its reading only; who runs it decides when.

export interface GuardRenewal {
  readonly ports: readonly string[];
  /** What is left of the lease when this is written, in milliseconds. */
  readonly leftMs: number;
  /** Wall-clock time at which the lease ends, in milliseconds since the epoch. */
  readonly endWallMs: number;
}

const table = 'bridge skein-guard';

/** A port that the kernel has no timeout for is dropped, whichever way the frame goes. */
const portRules = ['iifname != @heard drop', 'oifname != @heard drop'];

/** Fit for a fresh namespace and for one with a guard that is no longer whole: takes what is there away. */
export function closedGuard(): string {
  return [
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    '  set heard { type ifname; flags timeout; }',
    '  chain forward {',
    '    type filter hook forward priority 0; policy accept;',
    ...portRules.map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

/**
 * One batch, which the kernel takes as a whole: the ports that stood in the set are replaced. The timeouts count from when the
 * kernel takes them, which may be late; the time of day does not move with that, so that a writer who slept extends nothing.
 */
export function openGuard({ ports, leftMs, endWallMs }: GuardRenewal): string {
  const timeout = `timeout ${Math.max(1, Math.floor(leftMs))}ms`;
  const elements = ports.map((port) => `"${portName(port)}" ${timeout}`).join(', ');
  return [
    `flush chain ${table} forward`,
    `flush set ${table} heard`,
    `add rule ${table} forward meta time >= ${Math.ceil(endWallMs / 1_000)} drop`,
    ...portRules.map((rule) => `add rule ${table} forward ${rule}`),
    ...(ports.length === 0 ? [] : [`add element ${table} heard { ${elements} }`]),
    '',
  ].join('\n');
}

/** Whether what `nft list ruleset` printed hooks into forwarding and drops what it should. */
export function isWholeGuard(ruleset: string): boolean {
  const start = ruleset.indexOf(`table ${table} {`);
  if (start < 0) return false;
  const text = ruleset.slice(start, ruleset.indexOf('\n}', start));
  return text.includes('hook forward') && portRules.every((rule) => text.includes(rule));
}

function portName(port: string): string {
  if (!/^[a-z][a-z0-9]{0,14}$/.test(port)) throw new Error(`'${port}' is no port of a network`);
  return port;
}
