// Composition root of ipam: what it is made of, and who gets what.

import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { cidr } from '@skein/ip';
import { probePrefix } from '@skein/vxlan';
import type { Messenger } from '@skein/messaging';
import type { ServiceLogger, SkeinTransport } from '@skein/service-boot';
import { StoreClient, type Store } from '@skein/store-client';
import { AddressDesk } from './address-desk';
import { AuditDesk } from './audit-desk';
import type { IpamConfig } from './ipam.config';
import { IpamController } from './ipam.controller';
import { NetworkCatalog } from './network-catalog';
import { UsageReport } from './usage-report';

export interface IpamParts {
  readonly config: IpamConfig;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  readonly transport: Pick<SkeinTransport, 'service'>;
  /** Another store than the cluster's, in tests. */
  readonly store?: Store;
}

@Module({})
export class IpamModule implements OnApplicationShutdown {
  constructor(@Inject(AddressDesk) private readonly desk: AddressDesk) {}

  static of(parts: IpamParts): DynamicModule {
    const { config, messenger, logger, transport } = parts;
    const store = parts.store ?? StoreClient.connect(messenger);
    // Probes have addresses of their own on every network.
    const excluded = [...config.ipamExcluded, cidr(probePrefix)];
    const pools = { pools: config.ipamPools, excluded };
    const catalog = new NetworkCatalog(store, pools);
    const desk = new AddressDesk({
      store,
      messenger,
      actorService: () => transport.service('ipam-actor'),
      catalog,
      replica: config.replicaId,
      restMs: config.ipamRestMs,
      activationTtlMs: config.ipamActivationTtlMs,
      logger,
    });
    return {
      module: IpamModule,
      controllers: [IpamController],
      providers: [
        { provide: NetworkCatalog, useValue: catalog },
        { provide: AddressDesk, useValue: desk },
        {
          provide: AuditDesk,
          useValue: new AuditDesk({ store, messenger, catalog, logger }),
        },
        { provide: UsageReport, useValue: new UsageReport(store, catalog) },
      ],
    };
  }

  /** After the last request was answered, and while the store can still be reached. */
  async onApplicationShutdown(): Promise<void> {
    await this.desk.stop();
  }
}
