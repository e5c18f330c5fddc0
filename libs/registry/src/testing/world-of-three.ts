// A world of three hosts and two networks, `web` that fences and `store` that keeps, for tests of what becomes of hosts.

import { expect } from '@jest/globals';
import { settled } from './records';
import { World } from './world';

export const threeHosts = ['h1', 'h2', 'h3'];

export async function openWorldOfThree(): Promise<World> {
  const world = await World.open();
  await world.network('n1', 'web', { onHostLoss: 'fence' });
  await world.network('n2', 'store');
  for (const id of threeHosts) await world.host(id);
  return world;
}

/** Everybody but the silent ones is heard for a while, and calls those dead. */
export async function silence(world: World, ...silent: string[]): Promise<void> {
  for (let beat = 0; beat < 4; beat += 1) {
    world.now += 500;
    for (const id of threeHosts) if (!silent.includes(id)) world.heartbeat(id, silent);
    await world.domain.liveness.look();
    await settled();
  }
  for (const id of silent) expect(world.view.state.host(id)?.state).toBe('down');
}

/** Of an endpoint of either network, or `gone`. */
export function addressOf(world: World, name: string): string {
  const [found] = ['n1', 'n2'].flatMap((id) => world.view.endpoint(id, name) ?? []);
  return found?.addresses[0] ?? 'gone';
}
