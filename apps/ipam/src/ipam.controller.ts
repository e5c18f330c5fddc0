// The edge of ipam: one method a conversation, each handed on to who decides.

import { Controller, Inject } from '@nestjs/common';
import {
  addSubnetContract,
  allocateContract,
  auditContract,
  createNetworkContract,
  deleteNetworkContract,
  excludeContract,
  includeContract,
  listExclusionsContract,
  releaseContract,
  usageContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Serve } from '@skein/service-boot';
import { AddressDesk } from './address-desk';
import { AuditDesk } from './audit-desk';
import { NetworkCatalog } from './network-catalog';
import { UsageReport } from './usage-report';

@Controller()
export class IpamController {
  constructor(
    @Inject(NetworkCatalog) private readonly catalog: NetworkCatalog,
    @Inject(AddressDesk) private readonly desk: AddressDesk,
    @Inject(UsageReport) private readonly usageReport: UsageReport,
    @Inject(AuditDesk) private readonly auditDesk: AuditDesk,
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
  async addSubnet(request: ParsedRequestOf<typeof addSubnetContract>, context: RequestContext) {
    const added = await this.catalog.addSubnet(request, context);
    await this.desk.renew(added.network.id);
    return added;
  }

  @Serve(listExclusionsContract)
  listExclusions(_: ParsedRequestOf<typeof listExclusionsContract>, context: RequestContext) {
    return this.catalog.listExclusions(context);
  }

  @Serve(excludeContract)
  exclude(request: ParsedRequestOf<typeof excludeContract>, context: RequestContext) {
    return this.catalog.exclude(request, context);
  }

  @Serve(includeContract)
  include(request: ParsedRequestOf<typeof includeContract>, context: RequestContext) {
    return this.catalog.include(request, context);
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

  @Serve(auditContract)
  audit(request: ParsedRequestOf<typeof auditContract>, context: RequestContext) {
    return this.auditDesk.audit(request, context);
  }
}
