// What the active replica does besides: serves the registry's conversations, feeds agents, judges liveness, sweeps. All of it
// begins with an activation, carries its fence, and ends with it.

import type { Compare } from '@skein/contracts';
import type { Messenger } from '@skein/messaging';
import {
  domainOf,
  fenced,
  JoinDesk,
  startDomain,
  type DomainParts,
  type HostSigner,
} from '@skein/registry';
import {
  SkeinTransport,
  startMicroservice,
  type RunningApplication,
  type ServiceLogger,
} from '@skein/service-boot';
import { DutyModule } from './duty.module';
import { registryService } from './listing';
import type { RegistryConfig } from './registry.config';
import type { Replica } from './replica';

export interface DutyParts extends Omit<DomainParts, 'view' | 'admit' | 'isInOffice'> {
  readonly config: RegistryConfig;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  readonly replica: Replica;
  readonly signer: HostSigner | undefined;
}

/** Resolves when requests are taken. */
export async function openDuty(
  parts: DutyParts,
  fence: () => Compare,
  isInOffice: () => boolean,
): Promise<RunningApplication> {
  const { config, messenger, logger, replica, store, time, chance, signer } = parts;
  const { view } = replica;
  const standing = config.joinTokens;
  const joinDesk = new JoinDesk({ store, fence, time, chance, signer, standing });
  const domain = domainOf(
    {
      ...parts,
      view,
      isInOffice,
      program: fenced(parts.program, fence),
      admit: (host, context) => joinDesk.admit(host, context),
      demandDeclares: (host, context) => joinDesk.demandDeclares(host, context),
    },
    fence,
  );
  const transport = new SkeinTransport({
    messenger,
    version: registryService.version,
    description: registryService.description,
    instanceId: config.replicaId,
  });
  const end = startDomain(domain);
  const application = await startMicroservice(DutyModule.of(domain, replica, joinDesk), {
    config,
    messenger,
    logger,
    transport,
  });
  replica.announcer.speak();
  return {
    close: async () => {
      replica.announcer.fallSilent();
      end();
      await application.close();
    },
  };
}
