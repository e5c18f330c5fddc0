// The active replica's edge: controllers and what they ask.

import { Module, type DynamicModule } from '@nestjs/common';
import {
  AttachGroup,
  Attachments,
  Enrolments,
  Explainer,
  FreshView,
  HostRegistry,
  HostRemoval,
  JoinDesk,
  OwnEndpoints,
  Queries,
  ReachabilityMatrix,
  TrafficDesk,
  ServiceDesk,
  type Domain,
} from '@skein/registry';
import { EndpointsController } from './controllers/endpoints.controller';
import { HistoryController } from './controllers/history.controller';
import { HostsController } from './controllers/hosts.controller';
import { OwnEndpointsController } from './controllers/own-endpoints.controller';
import { JoiningController } from './controllers/joining.controller';
import { AddressHistory } from './history/address-history';
import { EventHistory } from './history/event-history';
import { ServicesController } from './controllers/services.controller';
import type { Replica } from './replica';

@Module({})
export class DutyModule {
  static of(domain: Domain, replica: Replica, joinDesk: JoinDesk): DynamicModule {
    const { view, history, writer } = replica;
    return {
      module: DutyModule,
      controllers: [
        HostsController,
        JoiningController,
        EndpointsController,
        ServicesController,
        OwnEndpointsController,
        HistoryController,
      ],
      providers: [
        { provide: FreshView, useValue: domain.view },
        { provide: HostRegistry, useValue: domain.registry },
        { provide: HostRemoval, useValue: domain.removal },
        { provide: JoinDesk, useValue: joinDesk },
        { provide: Attachments, useValue: domain.attachments },
        { provide: AttachGroup, useValue: domain.attachGroup },
        { provide: ServiceDesk, useValue: domain.services },
        { provide: OwnEndpoints, useValue: domain.ownEndpoints },
        { provide: Enrolments, useValue: domain.enrolments },
        { provide: Queries, useValue: domain.queries },
        { provide: ReachabilityMatrix, useValue: domain.matrix },
        { provide: TrafficDesk, useValue: domain.traffic },
        { provide: AddressHistory, useValue: new AddressHistory({ view, store: history, writer }) },
        { provide: EventHistory, useValue: new EventHistory(view, history, writer) },
        { provide: Explainer, useValue: domain.explainer },
      ],
    };
  }
}
