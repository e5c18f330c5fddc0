// A service's process: what is made at each start, and where it runs. It must not know what it serves.

import type { Place } from './place';

export class Service {
  isActive: () => boolean = () => false;

  constructor(
    readonly name: string,
    readonly place: Place,
    /** Makes everything anew; answers whether it is the active one. */
    private readonly make: () => () => boolean,
  ) {}

  start(): void {
    if (this.place.isUp) return;
    this.place.start();
    this.isActive = this.make();
  }

  crash(): void {
    this.place.crash();
    this.isActive = () => false;
  }
}
