// Composition root of the agent: what it is made of, when it starts and stops.

import {
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Logger, Messenger } from '@skein/messaging';
import type { Meter } from '@skein/metrics';
import type { HostAgentConfig } from './host-agent.config';
import { HostAgent } from './host-agent';
import { measureAgent } from './agent-metrics';
import { HostAgentController } from './host-agent.controller';

@Module({})
export class HostAgentModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(HostAgent) private readonly agent: HostAgent) {}

  static of(
    config: HostAgentConfig,
    { messenger, logger, meter }: { messenger: Messenger; logger: Logger; meter: Meter },
  ): DynamicModule {
    return {
      module: HostAgentModule,
      controllers: [HostAgentController],
      providers: [
        {
          provide: HostAgent,
          useFactory: () => {
            const agent = new HostAgent(config, messenger, logger);
            measureAgent(meter, agent);
            return agent;
          },
        },
      ],
    };
  }

  onApplicationBootstrap(): Promise<void> {
    return this.agent.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.agent.stop();
  }
}
