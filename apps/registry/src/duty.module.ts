// The active replica's edge: controllers and what they ask.

import { Module, type DynamicModule } from '@nestjs/common';
import { EndpointsController } from './controllers/endpoints.controller';
import { HistoryController } from './controllers/history.controller';
import { HostsController } from './controllers/hosts.controller';
import type { Domain } from './duty';
import { Attachments } from './endpoints/attachments';
import { Explainer } from './explain/explainer';
import { AddressHistory } from './history/address-history';
import { EventHistory } from './history/event-history';
import { HostRegistry } from './hosts/host-registry';
import { HostRemoval } from './hosts/host-removal';
import { FreshView } from './state/fresh-view';
import { Queries } from './views/queries';

@Module({})
export class DutyModule {
  static of(domain: Domain): DynamicModule {
    return {
      module: DutyModule,
      controllers: [HostsController, EndpointsController, HistoryController],
      providers: [
        { provide: FreshView, useValue: domain.view },
        { provide: HostRegistry, useValue: domain.registry },
        { provide: HostRemoval, useValue: domain.removal },
        { provide: Attachments, useValue: domain.attachments },
        { provide: Queries, useValue: domain.queries },
        { provide: AddressHistory, useValue: domain.addressHistory },
        { provide: EventHistory, useValue: domain.eventHistory },
        { provide: Explainer, useValue: domain.explainer },
      ],
    };
  }
}
