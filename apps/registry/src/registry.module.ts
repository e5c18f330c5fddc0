// Composition root of a replica: its view and history, and the office that makes it the active one.

import { randomBytes } from 'node:crypto';
import {
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Messenger } from '@skein/messaging';
import { agentPrograms, ipamAddresses, Office, type Chance } from '@skein/registry';
import { silentMeter, type Meter } from '@skein/metrics';
import type { ServiceLogger } from '@skein/service-boot';
import { StoreClient, type Store } from '@skein/store-client';
import { systemTime } from '@skein/time';
import { openDuty } from './duty';
import { hostSignerOf } from './joining/host-signer';
import { StandbyListing } from './listing';
import type { RegistryConfig } from './registry.config';
import { measureView } from './view-metrics';
import { Replica } from './replica';

export interface RegistryParts {
  readonly config: RegistryConfig;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  readonly meter?: Meter;
  /** Another store than the cluster's, in tests. */
  readonly store?: Store;
}

@Module({})
export class RegistryModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(Replica) private readonly replica: Replica,
    @Inject(Office) private readonly office: Office,
    @Inject(StandbyListing) private readonly standby: StandbyListing,
  ) {}

  static async of(parts: RegistryParts): Promise<DynamicModule> {
    const { config, messenger, logger } = parts;
    const store = parts.store ?? StoreClient.connect(messenger);
    const time = systemTime;
    const { dataDir, replicaId, activationTtlMs: ttlMs } = config;
    const replica = await Replica.open({ store, messenger, time, logger, dataDir });
    const duty = {
      config,
      messenger,
      logger,
      store,
      replica,
      addresses: ipamAddresses(messenger),
      program: agentPrograms(messenger),
      time,
      chance: systemChance,
      signer: hostSignerOf(config, time),
    };
    const standby = new StandbyListing(messenger, replicaId);
    let isOnDuty = false;
    measureView(parts.meter ?? silentMeter, { view: replica.view, isOnDuty: () => isOnDuty });
    const office = new Office({
      store,
      time,
      replicaId,
      ttlMs,
      logger,
      openDuty: async (fence, isInOffice) => {
        await standby.hide();
        const { close } = await openDuty(duty, fence, isInOffice).catch((thrown: unknown) => {
          standby.show();
          throw thrown;
        });
        isOnDuty = true;
        return {
          close: () => {
            isOnDuty = false;
            return close().finally(() => standby.show());
          },
        };
      },
    });
    return {
      module: RegistryModule,
      providers: [
        { provide: Replica, useValue: replica },
        { provide: Office, useValue: office },
        { provide: StandbyListing, useValue: standby },
      ],
    };
  }

  /** Ready means started: the office opens as soon as the store answers. */
  onApplicationBootstrap(): void {
    this.standby.show();
    void this.replica.start().then(() => this.office.start());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.office.stop();
    await this.standby.hide();
    await this.replica.close();
  }
}

const idLength = 20;
const idCharacters = '0123456789abcdefghijklmnopqrstuvwxyz';
/** Bytes from here on would make some characters likelier than others. */
const unevenFrom = 256 - (256 % idCharacters.length);
const systemChance: Chance = {
  id: () => {
    let id = '';
    while (id.length < idLength) {
      for (const byte of randomBytes(idLength)) {
        if (byte < unevenFrom && id.length < idLength) id += idCharacters[byte % 36];
      }
    }
    return id;
  },
};
