// Edge of the conversations about hosts.

import { Controller, Inject } from '@nestjs/common';
import {
  getHostContract,
  heartbeatContract,
  hostNetworksContract,
  listHostsContract,
  registerHostContract,
  removeHostContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Serve } from '@skein/service-boot';
import { HostRegistry, HostRemoval, FreshView, Queries } from '@skein/registry';

@Controller()
export class HostsController {
  constructor(
    @Inject(HostRegistry) private readonly hosts: HostRegistry,
    @Inject(HostRemoval) private readonly removal: HostRemoval,
    @Inject(FreshView) private readonly view: FreshView,
    @Inject(Queries) private readonly queries: Queries,
  ) {}

  @Serve(registerHostContract)
  register(request: ParsedRequestOf<typeof registerHostContract>, context: RequestContext) {
    return this.hosts.register(request, context);
  }

  @Serve(heartbeatContract)
  heartbeat(request: ParsedRequestOf<typeof heartbeatContract>, _context: RequestContext) {
    return this.hosts.heartbeat(request);
  }

  @Serve(listHostsContract)
  list(request: ParsedRequestOf<typeof listHostsContract>, _context: RequestContext) {
    return this.queries.hosts(request);
  }

  @Serve(getHostContract)
  async get(request: ParsedRequestOf<typeof getHostContract>, context: RequestContext) {
    return this.queries.host(await this.view.findHost(request.host, context.deadline));
  }

  @Serve(removeHostContract)
  remove(request: ParsedRequestOf<typeof removeHostContract>, context: RequestContext) {
    return this.removal.remove(request.host, context);
  }

  @Serve(hostNetworksContract)
  async networks(request: ParsedRequestOf<typeof hostNetworksContract>, context: RequestContext) {
    return this.queries.hostNetworks(await this.view.findHost(request.host, context.deadline));
  }
}
