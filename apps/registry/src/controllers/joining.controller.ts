// Edge of the conversations about joining: tokens for admins, credentials for hosts.

import { Controller, Inject } from '@nestjs/common';
import {
  createJoinTokenContract,
  joinContract,
  listJoinTokensContract,
  renewCredentialContract,
  revokeJoinTokenContract,
  type ParsedRequestOf,
} from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { JoinDesk } from '@skein/registry';
import { Serve } from '@skein/service-boot';

/** Anybody may knock; who does it too often waits for the others. */
const atTheDoor = { maxPending: 64 };

@Controller()
export class JoiningController {
  constructor(@Inject(JoinDesk) private readonly desk: JoinDesk) {}

  @Serve(createJoinTokenContract)
  create(request: ParsedRequestOf<typeof createJoinTokenContract>, context: RequestContext) {
    return this.desk.create(request, context);
  }

  @Serve(listJoinTokensContract)
  list(_request: ParsedRequestOf<typeof listJoinTokensContract>, context: RequestContext) {
    return this.desk.list(context);
  }

  @Serve(revokeJoinTokenContract)
  revoke(request: ParsedRequestOf<typeof revokeJoinTokenContract>, context: RequestContext) {
    return this.desk.revoke(request, context);
  }

  @Serve(joinContract, atTheDoor)
  join(request: ParsedRequestOf<typeof joinContract>, context: RequestContext) {
    return this.desk.join(request, context);
  }

  @Serve(renewCredentialContract, atTheDoor)
  renew(request: ParsedRequestOf<typeof renewCredentialContract>, context: RequestContext) {
    return this.desk.renew(request, context);
  }
}
