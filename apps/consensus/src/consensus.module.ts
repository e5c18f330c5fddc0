// The composition root of one replica: log, core and store are opened before Nest starts, and hear their peers after it has.

import type { DynamicModule } from '@nestjs/common';
import type { Messenger } from '@skein/messaging';
import type { Meter } from '@skein/metrics';
import {
  startMicroservice,
  type RunningApplication,
  type ServiceLogger,
  type SkeinTransport,
  type StartContext,
} from '@skein/service-boot';
import { Backups } from './backups';
import type { ConsensusConfiguration } from './consensus.config';
import { consensusConfiguration, ConsensusController } from './consensus.controller';
import { Office } from './office';
import { measureReplica } from './replica-metrics';
import { statusOf } from './replica-status';
import { Recovery } from './recovery';
import { Replica } from './replica.actor';

export interface ConsensusParts {
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  readonly transport: SkeinTransport;
  readonly meter: Meter;
}

export class ConsensusModule {
  static async create(
    config: ConsensusConfiguration,
    { messenger, logger, transport, meter }: ConsensusParts,
  ): Promise<DynamicModule> {
    const storeService = transport.service('store');
    const consensusService = transport.service('consensus');
    const replica = await Replica.open({
      config,
      messenger,
      logger,
      onFailure: (error) => {
        logger.fatal({ err: error }, 'the replica failed');
        process.exit(1);
      },
      listener: (opened) =>
        new Office({ replica: opened, config, messenger, storeService, consensusService, logger }),
    });
    measureReplica(meter, () => statusOf(replica, config));
    return {
      module: ConsensusModule,
      controllers: [ConsensusController],
      providers: [
        { provide: Replica, useValue: replica },
        { provide: Backups, useValue: new Backups(replica, config) },
        { provide: Recovery, useValue: new Recovery(replica, config, logger) },
        { provide: consensusConfiguration, useValue: config },
      ],
      exports: [Replica],
    };
  }
}

/** Hears its peers once everything is in place; hands leadership over before anything is taken down. */
export async function startReplica(
  module: DynamicModule,
  context: StartContext<ConsensusConfiguration>,
): Promise<RunningApplication> {
  const application = await startMicroservice(module, context);
  const replica = replicaOf(module);
  replica.start();
  return {
    close: async () => {
      await replica.stop();
      await application.close();
    },
  };
}

function replicaOf({ providers = [] }: DynamicModule): Replica {
  for (const provider of providers) {
    if ('useValue' in provider && provider.useValue instanceof Replica) return provider.useValue;
  }
  throw new Error('the module holds no replica');
}
