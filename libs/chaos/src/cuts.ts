// Cuts on the underlay, by nftables on its bridge: a port that is mute, deaf or both, or one that only NATS does not reach. Made
// in the world's own network namespace, which goes with it.

import type { World } from './world';

const table = 'bridge skein-chaos';
const natsPort = 4222;

/** Before and after everything else that looks at a frame of the bridge. */
const rules = `table ${table} {
  set mute { type ifname; }
  set deaf { type ifname; }
  set unsteered { type ifname; }
  chain arriving {
    type filter hook prerouting priority -300; policy accept;
    iifname @mute drop
    iifname @unsteered tcp dport ${natsPort} drop
  }
  chain leaving {
    type filter hook postrouting priority 300; policy accept;
    oifname @deaf drop
    oifname @unsteered tcp sport ${natsPort} drop
  }
}`;

export type CutSet = 'mute' | 'deaf' | 'unsteered';

export class Cuts {
  private constructor(private readonly world: World) {}

  /** Null where there is no nft. */
  static async prepare(world: World): Promise<Cuts | null> {
    const there = await world.run(['nft', '--version']).catch(() => null);
    if (there?.code !== 0) return null;
    await world.output(['nft', rules]);
    return new Cuts(world);
  }

  async begin(sets: readonly CutSet[], port: string): Promise<void> {
    const commands = sets.map((set) => `add element ${table} ${set} { "${port}" }`);
    await this.world.output(['nft', commands.join('; ')]);
  }

  async end(sets: readonly CutSet[], port: string): Promise<void> {
    const commands = sets.map((set) => `delete element ${table} ${set} { "${port}" }`);
    await this.world.output(['nft', commands.join('; ')]);
  }
}
