// Puts the services' processes together: each start makes everything anew, with a store client of its own. It must not know when they
// are started, nor who ends them.

import { StoreClient } from '@skein/store-client';
import type { Random } from '../random';
import type { FencedCommit } from './checkers/activations';
import type { AttachAnswer } from './checkers/known-way';
import type { CommittedHistory } from './committed';
import { HubMessenger, type Hub } from './hub';
import { IpamReplica } from './ipam-replica';
import type { SystemConditions } from './options';
import { Place } from './place';
import { alterAllocation, alterRegistry, type PlantedSystemFault } from './plants';
import { RegistryReplica } from './registry-replica';
import { Service } from './service';

export interface ProgramsWorld {
  readonly hub: Hub;
  readonly random: Random;
  readonly conditions: SystemConditions;
  readonly planted: PlantedSystemFault | null;
  readonly committed: CommittedHistory;
  readonly onRun: () => void;
  readonly onAttached: (answer: AttachAnswer) => void;
  readonly onCommitted: (commit: FencedCommit) => void;
}

export class Programs {
  constructor(private readonly world: ProgramsWorld) {}

  storeClient(place: Place, messenger: HubMessenger): StoreClient {
    const random = this.world.random.fork();
    return StoreClient.connect(messenger, {
      time: place.time,
      chance: () => random.next(),
      clientId: `${place.name}-${place.life}`,
      batching: false,
    });
  }

  registry(name: string): Service {
    return this.service(name, (place) => this.startRegistry(place));
  }

  ipam(name: string): Service {
    return this.service(name, (place) => this.startIpam(place));
  }

  private service(name: string, make: (place: Place) => () => boolean): Service {
    const { hub, random, onRun } = this.world;
    const place = new Place(name, hub.queue, random.fork(), onRun);
    return new Service(name, place, () => make(place));
  }

  private startRegistry(place: Place): () => boolean {
    const { hub, random, conditions, planted, committed, onRun, onAttached, onCommitted } =
      this.world;
    const messenger = new HubMessenger(hub, place, place.time);
    const replica = new RegistryReplica({
      name: place.name,
      store: this.storeClient(place, messenger),
      messenger,
      time: place.time,
      random: random.fork(),
      ttlMs: conditions.registryTtlMs,
      holdDownMs: conditions.holdDownMs,
      isSweeping: planted !== 'sweep-off',
      alter: (parts) => alterRegistry(planted, parts, committed),
      onAttached,
      onCommitted,
    });
    onRun();
    replica.start();
    return () => replica.domain !== null;
  }

  private startIpam(place: Place): () => boolean {
    const { hub, conditions, planted, onCommitted } = this.world;
    const messenger = new HubMessenger(hub, place, place.time);
    const replica = new IpamReplica({
      name: place.name,
      store: this.storeClient(place, messenger),
      messenger,
      time: place.time,
      restMs: conditions.restMs,
      ttlMs: conditions.ipamTtlMs,
      alter: (transaction) => alterAllocation(planted, transaction),
      onCommitted,
    });
    replica.start();
    return () => true;
  }
}
