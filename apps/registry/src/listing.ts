// What NATS lists of this replica while another one is on duty: the service without endpoints, so that people see it stand by.

import type { Messenger, ServiceEndpoints } from '@skein/messaging';

export const registryService = {
  name: 'registry',
  version: '0.1.0',
  description: 'Hosts, networks and endpoints, and their history.',
} as const;

export class StandbyListing {
  #listed: ServiceEndpoints | undefined;

  constructor(
    private readonly messenger: Pick<Messenger, 'service'>,
    private readonly instanceId: string,
  ) {}

  show(): void {
    this.#listed ??= this.messenger.service({ ...registryService, instanceId: this.instanceId });
  }

  async hide(): Promise<void> {
    const listed = this.#listed;
    this.#listed = undefined;
    await listed?.stop();
  }
}
