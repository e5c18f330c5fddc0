// Edge of the conversations that a host has about its own networks and endpoints.

import { Controller, Inject } from '@nestjs/common';
import {
  attachOwnContract,
  declareNetworkContract,
  describeOwnContract,
  detachOwnContract,
  enrolmentContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Enrolments, OwnEndpoints, Queries } from '@skein/registry';
import { Serve } from '@skein/service-boot';

@Controller()
export class OwnEndpointsController {
  constructor(
    @Inject(OwnEndpoints) private readonly endpoints: OwnEndpoints,
    @Inject(Enrolments) private readonly enrolments: Enrolments,
    @Inject(Queries) private readonly queries: Queries,
  ) {}

  @Serve(enrolmentContract)
  enrolment({ host }: ParsedRequestOf<typeof enrolmentContract>, { deadline }: RequestContext) {
    return this.enrolments.of(host, deadline);
  }

  @Serve(declareNetworkContract)
  declare(request: ParsedRequestOf<typeof declareNetworkContract>, context: RequestContext) {
    return this.enrolments.declare(request, context);
  }

  @Serve(attachOwnContract, { maxPending: 1_024 })
  async attach(request: ParsedRequestOf<typeof attachOwnContract>, context: RequestContext) {
    const { endpoint, behind, faults } = await this.endpoints.attach(request, context);
    return { endpoint: this.queries.endpoint(endpoint), behind, faults: [...faults] };
  }

  @Serve(describeOwnContract, { maxPending: 1_024 })
  async describe(request: ParsedRequestOf<typeof describeOwnContract>, context: RequestContext) {
    const { endpoint, taken } = await this.endpoints.describe(request, context);
    const { revision } = endpoint;
    return { endpoint: this.queries.endpoint(endpoint), taken, revision };
  }

  @Serve(detachOwnContract, { maxPending: 1_024 })
  detach(request: ParsedRequestOf<typeof detachOwnContract>, context: RequestContext) {
    return this.endpoints.detach(request, context);
  }
}
