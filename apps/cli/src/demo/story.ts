// The story that the demo tells, in order. Each step observes what it claims and fails the run if it is not so.

import type { Observation } from './report';
import type { Stage } from './stage';
import * as attach from './steps-attach';
import * as failure from './steps-failure';

export interface Step {
  readonly id: string;
  readonly title: string;
  run(stage: Stage): Promise<Observation>;
}

export const story: readonly Step[] = [
  { id: 'elect', title: 'Three managers elect a leader', run: attach.electLeader },
  { id: 'create-network', title: 'Network web is created', run: attach.createNetwork },
  { id: 'attach', title: 'Containers a and b attach on two hosts', run: attach.attachTwo },
  { id: 'ping-by-name', title: 'a pings b by name, over VXLAN', run: attach.pingByName },
  { id: 'attach-many', title: 'Two hundred attach at once', run: attach.attachMany },
  { id: 'kill-leader', title: 'The leader is killed', run: failure.killLeader },
  { id: 'kill-agent', title: "A host's agent is killed and comes back", run: failure.killAgent },
  { id: 'repair', title: 'Someone deletes a forwarding row', run: failure.repairRow },
  { id: 'refuse', title: 'A container claims an address that is taken', run: failure.refuseTaken },
  { id: 'leave', title: 'The last endpoints leave', run: failure.leave },
  { id: 'restart', title: 'Managers restart from disk', run: failure.restartManagers },
  { id: 'look-back', title: 'Who held the address before?', run: failure.lookBack },
];
