// The one conversation that every replica serves, leading or not: what it is and how far it has come.

import { Controller, Inject } from '@nestjs/common';
import { replicaStatusContract, type ClusterStatus } from '@skein/contracts';
import { Serve } from '@skein/service-boot';
import { Replica } from './replica.actor';

@Controller()
export class ConsensusController {
  constructor(@Inject(Replica) private readonly replica: Replica) {}

  @Serve(replicaStatusContract)
  status(): ClusterStatus {
    return this.replica.clusterStatus();
  }
}
