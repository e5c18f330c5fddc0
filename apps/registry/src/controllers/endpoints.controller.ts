// Edge of the conversations about networks and endpoints.

import { Controller, Inject } from '@nestjs/common';
import {
  createEndpointsContract,
  createEndpointsEachContract,
  deleteEndpointContract,
  getEndpointContract,
  getNetworkContract,
  listEndpointsContract,
  listNetworksContract,
  SkeinError,
  type AttachedEach,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Serve } from '@skein/service-boot';
import { AttachGroup, Attachments, FreshView, Queries } from '@skein/registry';

@Controller()
export class EndpointsController {
  constructor(
    @Inject(Attachments) private readonly attachments: Attachments,
    @Inject(AttachGroup) private readonly group: AttachGroup,
    @Inject(FreshView) private readonly view: FreshView,
    @Inject(Queries) private readonly queries: Queries,
  ) {}

  @Serve(listNetworksContract)
  networks(request: ParsedRequestOf<typeof listNetworksContract>, _context: RequestContext) {
    return this.queries.networks(request);
  }

  @Serve(getNetworkContract)
  async network(request: ParsedRequestOf<typeof getNetworkContract>, { deadline }: RequestContext) {
    await this.view.demandReached(request.atLeast ?? 0, deadline);
    return this.queries.network(await this.view.findNetwork(request.network, deadline));
  }

  @Serve(createEndpointsContract, { maxPending: 4_096 })
  async create(request: ParsedRequestOf<typeof createEndpointsContract>, context: RequestContext) {
    const { endpoints, ...attached } = await this.attachments.create(request, context);
    return { ...attached, endpoints: endpoints.map((each) => this.queries.endpoint(each)) };
  }

  @Serve(createEndpointsEachContract, { maxPending: 4_096 })
  async createEach(
    request: ParsedRequestOf<typeof createEndpointsEachContract>,
    context: RequestContext,
  ) {
    const { outcomes, replayed, faults, behind } = await this.group.create(request, context);
    const attached = outcomes.map((outcome, at): AttachedEach => {
      if (outcome instanceof SkeinError) return { ok: false, error: outcome.toBody() };
      const own = faults.filter(({ endpointId }) => endpointId === outcome.id);
      const endpoint = this.queries.endpoint(outcome);
      const isReplayed = replayed.has(at) ? { isReplayed: true as const } : {};
      return { ok: true, endpoint, ...isReplayed, faults: own };
    });
    return { attached, behind: [...behind] };
  }

  @Serve(deleteEndpointContract, { maxPending: 4_096 })
  delete(request: ParsedRequestOf<typeof deleteEndpointContract>, context: RequestContext) {
    return this.attachments.delete(request, context);
  }

  @Serve(listEndpointsContract)
  async list(request: ParsedRequestOf<typeof listEndpointsContract>, { deadline }: RequestContext) {
    const network = await this.view.findNetwork(request.network, deadline);
    return this.queries.endpoints(network.id, request);
  }

  @Serve(getEndpointContract)
  async get(request: ParsedRequestOf<typeof getEndpointContract>, { deadline }: RequestContext) {
    const network = await this.view.findNetwork(request.network, deadline);
    const endpoint = await this.view.findEndpoint(network.id, request.endpoint, deadline);
    return this.queries.endpoint(endpoint);
  }
}
