// Bridged frames can be made to pass the hooks of IP (`br_netfilter`, which Docker loads), and are from the start in each namespace
// that is made. In a network's nothing waits at those hooks: each frame only pays for the way there.

/** Of IPv4, IPv6 and ARP, as far as this kernel has them and lets them be changed; of the namespace of whoever opens them. */
const perSwitch = (then: string): string =>
  `for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ -w "$f" ] || continue; ${then}; done`;

export const withoutDetour = ['sh', '-c', perSwitch('echo 0 > "$f"')];

/** What `command` says, below a line for each switch that is on. */
export function detoursAnd(command: readonly string[]): string[] {
  const tell = perSwitch('read -r v < "$f"; [ "$v" = 0 ] || echo "detour $f"');
  return ['sh', '-c', `${tell}; exec "$@"`, 'sh', ...command];
}

export function hasDetour(said: string): boolean {
  return /^detour /m.test(said);
}
