// A host that registers with another boot id has lost its containers: what the boot before held is released before the new one
// counts as up. An interrupted release goes on with the next registration, here or in another registry.

import type { RequestContext } from '@skein/messaging';
import type { FreshView } from '../state/fresh-view';
import type { HostRelease } from './host-release';

export interface HostRebootOptions {
  readonly view: FreshView;
  readonly release: HostRelease;
  readonly takeDown: (host: string, reason: string) => Promise<boolean>;
}

export class HostReboot {
  readonly #options: HostRebootOptions;

  constructor(options: HostRebootOptions) {
    this.#options = options;
  }

  /** Nothing to do for a boot that is known. Leaves the rest to another try if the host's record changes meanwhile. */
  async releaseBefore(
    { id, bootId }: { readonly id: string; readonly bootId: string },
    context: RequestContext,
  ): Promise<void> {
    const { view, release, takeDown } = this.#options;
    const known = view.state.host(id);
    if (known === undefined || known.bootId === bootId) return;
    // Down first: from then on nothing is attached to it, so that what the view has of it is all there is.
    if (known.state === 'up' && !(await takeDown(id, 'started anew'))) return;
    const host = view.state.host(id);
    if (host?.state === 'down') await release.release(host, () => true, context);
  }

  isReleased(hostId: string): boolean {
    return this.#options.release.endpointsOf(hostId).length === 0;
  }
}
