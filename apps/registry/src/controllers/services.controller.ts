// Edge of the conversations about services.

import { Controller, Inject } from '@nestjs/common';
import {
  declareServiceContract,
  getServiceContract,
  listServicesContract,
  withdrawServiceContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { Serve } from '@skein/service-boot';
import { ServiceDesk } from '@skein/registry';

@Controller()
export class ServicesController {
  constructor(@Inject(ServiceDesk) private readonly desk: ServiceDesk) {}

  @Serve(listServicesContract)
  list(request: ParsedRequestOf<typeof listServicesContract>, context: RequestContext) {
    return this.desk.list(request, context);
  }

  @Serve(getServiceContract)
  get(request: ParsedRequestOf<typeof getServiceContract>, context: RequestContext) {
    return this.desk.get(request, context);
  }

  @Serve(declareServiceContract)
  declare(request: ParsedRequestOf<typeof declareServiceContract>, context: RequestContext) {
    return this.desk.declare(request, context);
  }

  @Serve(withdrawServiceContract)
  withdraw(request: ParsedRequestOf<typeof withdrawServiceContract>, context: RequestContext) {
    return this.desk.withdraw(request, context);
  }
}
