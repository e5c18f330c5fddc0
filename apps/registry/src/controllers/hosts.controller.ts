// Edge of the conversations about hosts.

import { Controller, Inject } from '@nestjs/common';
import {
  drainHostContract,
  getHostContract,
  heartbeatContract,
  hostNetworksContract,
  listHostsContract,
  reachabilityContract,
  readmitHostContract,
  registerHostContract,
  removeHostContract,
  trafficContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Serve } from '@skein/service-boot';
import {
  Enrolments,
  FreshView,
  HostRegistry,
  HostRemoval,
  Queries,
  ReachabilityMatrix,
  TrafficDesk,
} from '@skein/registry';

@Controller()
export class HostsController {
  constructor(
    @Inject(HostRegistry) private readonly hosts: HostRegistry,
    @Inject(HostRemoval) private readonly removal: HostRemoval,
    @Inject(Enrolments) private readonly enrolments: Enrolments,
    @Inject(FreshView) private readonly view: FreshView,
    @Inject(Queries) private readonly queries: Queries,
    @Inject(ReachabilityMatrix) private readonly matrix: ReachabilityMatrix,
    @Inject(TrafficDesk) private readonly desk: TrafficDesk,
  ) {}

  @Serve(registerHostContract)
  register(request: ParsedRequestOf<typeof registerHostContract>, context: RequestContext) {
    return this.hosts.register(request, context);
  }

  @Serve(heartbeatContract)
  heartbeat(request: ParsedRequestOf<typeof heartbeatContract>, _context: RequestContext) {
    const reply = this.hosts.heartbeat(request);
    if (!this.enrolments.isNew(request)) return reply;
    return { ...reply, isEnrolmentNew: true as const };
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
  async remove(request: ParsedRequestOf<typeof removeHostContract>, context: RequestContext) {
    const { host, dryRun, ifRevisions } = request;
    if (!dryRun) return this.removal.remove(host, context, ifRevisions);
    const preview = await this.removal.preview(host, context);
    return { revision: preview.revision, releasedEndpoints: 0, preview };
  }

  @Serve(readmitHostContract)
  readmit(request: ParsedRequestOf<typeof readmitHostContract>, context: RequestContext) {
    return this.removal.readmit(request.host, context);
  }

  @Serve(drainHostContract)
  async drain(request: ParsedRequestOf<typeof drainHostContract>, context: RequestContext) {
    const host = await this.hosts.drain(request, context);
    const remaining = await this.removal.preview(host.id, context);
    return { host: this.queries.host(host), remaining };
  }

  @Serve(reachabilityContract)
  reachability() {
    return this.matrix.pairs();
  }

  @Serve(trafficContract)
  traffic(_request: ParsedRequestOf<typeof trafficContract>, context: RequestContext) {
    return this.desk.traffic(context);
  }

  @Serve(hostNetworksContract)
  async networks(request: ParsedRequestOf<typeof hostNetworksContract>, context: RequestContext) {
    return this.queries.hostNetworks(await this.view.findHost(request.host, context.deadline));
  }
}
