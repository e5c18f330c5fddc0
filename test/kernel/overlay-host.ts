// One host of the test world: runs in that host's network namespace and programs the shares that it is sent, with the real
// adapter. Answers over Node's IPC.

import { IprouteKernel } from '@skein/vxlan-iproute';
import { desiredOf, plan, repairsOf, settled, type OverlayShare } from '@skein/vxlan';

export interface HostRequest {
  readonly verb: 'program' | 'plan' | 'compare';
  readonly share: OverlayShare;
  readonly alsoSandboxes?: readonly string[];
}

export interface HostReply {
  readonly changes: readonly string[];
  readonly repairs: readonly string[];
  readonly faults: readonly string[];
  /** What filters kept out: by network's namespace, and on the VXLAN port. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Milliseconds of apply alone, and of all. */
  readonly applyMs: number;
  readonly totalMs: number;
}

const [, , self = '', vtep = '', port = '4789', netnsPrefix = `sk-${self}-`] = process.argv;
const kernel = new IprouteKernel({ netnsDir: '/run/netns', netnsPrefix });

async function answer({ verb, share, alsoSandboxes }: HostRequest): Promise<HostReply> {
  const start = performance.now();
  const desired = desiredOf(share, self, {
    ...{ vtep, vxlanPort: Number(port), netnsPrefix },
    filtersSources: true,
  });
  const observed = await kernel.observe(desired, alsoSandboxes);
  // 'compare' asks the other way round: what the kernel holds against what a settled one would.
  const changes = plan(desired, verb === 'compare' ? settled(desired) : observed);
  const planned = performance.now();
  const faults = verb === 'program' ? await kernel.apply(changes) : [];
  return {
    changes: changes.map(({ kind, action, reason }) => `${kind} ${action}: ${reason}`),
    repairs: repairsOf(changes, new Set()).map(({ kind, count }) => `${kind} ${count}`),
    faults: faults.map(({ change, code, message }) => `${change.kind} ${code}: ${message}`),
    dropped: Object.fromEntries([
      ['port', observed.underlay?.dropped ?? 0],
      ...[...observed.networks].map(([netns, { filter }]) => [netns, filter?.dropped ?? 0]),
    ]),
    applyMs: performance.now() - planned,
    totalMs: performance.now() - start,
  };
}

process.on('message', (request: HostRequest) => {
  answer(request).then(
    (reply) => process.send?.({ reply }),
    (thrown: Error) => process.send?.({ fault: thrown.stack }),
  );
});
