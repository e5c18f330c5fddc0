// The edge of ipam: one method a conversation, each handed on to who decides.

import { Controller, Inject } from '@nestjs/common';
import {
  addSubnetContract,
  allocateContract,
  createNetworkContract,
  deleteNetworkContract,
  releaseContract,
  usageContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Serve } from '@skein/service-boot';
import { AddressDesk } from './address-desk';
import { NetworkCatalog } from './network-catalog';
import { UsageReport } from './usage-report';

@Controller()
export class IpamController {
  constructor(
    @Inject(NetworkCatalog) private readonly catalog: NetworkCatalog,
    @Inject(AddressDesk) private readonly desk: AddressDesk,
    @Inject(UsageReport) private readonly usageReport: UsageReport,
  ) {}

  @Serve(createNetworkContract)
  createNetwork(request: ParsedRequestOf<typeof createNetworkContract>, context: RequestContext) {
    return this.catalog.create(request, context);
  }

  @Serve(deleteNetworkContract)
  deleteNetwork(request: ParsedRequestOf<typeof deleteNetworkContract>, context: RequestContext) {
    return this.catalog.delete(request, context);
  }

  @Serve(addSubnetContract)
  addSubnet(request: ParsedRequestOf<typeof addSubnetContract>, context: RequestContext) {
    return this.catalog.addSubnet(request, context);
  }

  @Serve(allocateContract)
  allocate(request: ParsedRequestOf<typeof allocateContract>, context: RequestContext) {
    return this.desk.allocate(request, context);
  }

  @Serve(releaseContract)
  release(request: ParsedRequestOf<typeof releaseContract>, context: RequestContext) {
    return this.desk.release(request, context);
  }

  @Serve(usageContract)
  usage(request: ParsedRequestOf<typeof usageContract>, context: RequestContext) {
    return this.usageReport.read(request, context);
  }
}
