// Edge of the conversations about what was and why it is so.

import { Controller, Inject } from '@nestjs/common';
import {
  addressHistoryContract,
  eventsContract,
  explainContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Serve } from '@skein/service-boot';
import { Explainer } from '@skein/registry';
import { AddressHistory } from '../history/address-history';
import { EventHistory } from '../history/event-history';

@Controller()
export class HistoryController {
  constructor(
    @Inject(AddressHistory) private readonly addresses: AddressHistory,
    @Inject(EventHistory) private readonly history: EventHistory,
    @Inject(Explainer) private readonly explainer: Explainer,
  ) {}

  @Serve(addressHistoryContract)
  address(request: ParsedRequestOf<typeof addressHistoryContract>, context: RequestContext) {
    return this.addresses.of(request, context);
  }

  @Serve(eventsContract)
  events(request: ParsedRequestOf<typeof eventsContract>, _context: RequestContext) {
    return this.history.since(request);
  }

  @Serve(explainContract)
  explain(request: ParsedRequestOf<typeof explainContract>, context: RequestContext) {
    return this.explainer.explain(request, context);
  }
}
