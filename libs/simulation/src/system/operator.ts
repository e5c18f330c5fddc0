// What an operator does to hosts: drains one for a while, removes one that is gone for good, lets a removed one in again. One thing a
// host at a time, each asked for until it is known to be done or refused. It must not know why it is done.

import {
  drainHostContract,
  readmitHostContract,
  removeHostContract,
  SkeinError,
} from '@skein/contracts';
import { elapsed } from '@skein/time';
import type { Host } from './host';
import type { HubMessenger } from './hub';
import type { Place } from './place';

export interface OperatorOptions {
  readonly place: Place;
  readonly messenger: HubMessenger;
  readonly said: (line: string) => void;
}

const asking = { retryUnavailable: true };
const againMs = 500;

export class Operator {
  /** The last thing that was begun for each host. */
  private readonly turns = new Map<string, Promise<void>>();

  constructor(private readonly options: OperatorOptions) {}

  drain({ id }: Host, isDraining: boolean): Promise<void> {
    const { messenger } = this.options;
    const request = { host: id, isDraining };
    return this.insist(id, isDraining ? 'drain' : 'undrain', () =>
      messenger.request(drainHostContract, request, asking),
    );
  }

  /** Until it is removed, or its agent runs again: nobody removes a host that is there. */
  remove({ id, place }: Host): Promise<void> {
    const { messenger } = this.options;
    const ask = () => messenger.request(removeHostContract, { host: id }, asking);
    return this.insist(id, 'remove', ask, () => !place.isUp);
  }

  readmit({ id }: Host): Promise<void> {
    const { messenger } = this.options;
    return this.insist(id, 'readmit', () =>
      messenger.request(readmitHostContract, { host: id }, asking),
    );
  }

  private insist(
    host: string,
    what: string,
    ask: () => Promise<unknown>,
    isWanted = () => true,
  ): Promise<void> {
    const { place, said } = this.options;
    const turn = async (): Promise<void> => {
      await this.turns.get(host);
      for (let attempt = 1; isWanted(); attempt += 1) {
        const code = await ask().then(
          () => 'done',
          (thrown: unknown) => SkeinError.from(thrown).code,
        );
        said(`${what} ${host}, attempt ${attempt}: ${code}`);
        // A host that is not there is one that was removed, or that has come back by itself.
        if (code === 'done' || code === 'host_not_found') return;
        await elapsed(place.time, againMs);
      }
    };
    const done = turn();
    this.turns.set(host, done);
    return done;
  }
}
