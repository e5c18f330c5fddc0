// The agent's side of its conversations: hands requests on, decides nothing.

import { Controller, Inject } from '@nestjs/common';
import {
  agentStatusContract,
  agentTrafficContract,
  programContract,
  type ParsedRequestOf,
  type ReplyOf,
} from '@skein/contracts';
import { Serve } from '@skein/service-boot';
import { HostAgent } from './host-agent';

@Controller()
export class HostAgentController {
  constructor(@Inject(HostAgent) private readonly agent: HostAgent) {}

  @Serve(programContract)
  program(push: ParsedRequestOf<typeof programContract>): Promise<ReplyOf<typeof programContract>> {
    return this.agent.program(push);
  }

  @Serve(agentTrafficContract)
  traffic(): Promise<ReplyOf<typeof agentTrafficContract>> {
    return this.agent.traffic();
  }

  @Serve(agentStatusContract)
  status(
    asked: ParsedRequestOf<typeof agentStatusContract>,
  ): Promise<ReplyOf<typeof agentStatusContract>> {
    return this.agent.status(asked);
  }
}
