// Who may use the log's thread next. Writes go together, as many as wait, and never wait for more than one slice of other
// work; slices take turns with the writes, so that neither starves the other. Knows nothing of what either does.

export interface LanePorts<Write> {
  /** Makes all of them durable. */
  readonly commit: (writes: readonly Write[]) => Promise<void>;
  readonly committed: (writes: readonly Write[]) => void;
  readonly failed: (thrown: unknown) => void;
  readonly maxGroup: number;
}

interface Slice {
  readonly run: () => Promise<unknown>;
  readonly reject: (thrown: unknown) => void;
}

export class LogLanes<Write> {
  private writes: Write[] = [];
  private readonly slices: Slice[] = [];
  private startedAt: number | null = null;
  private isSliceDue = false;
  private isStopped = false;

  constructor(private readonly ports: LanePorts<Write>) {}

  write(write: Write): void {
    this.writes.push(write);
    this.next();
  }

  /** Runs when it is its turn. Rejects if the lanes are stopped before. */
  slice<T>(act: () => Promise<T>, stopped: () => Error): Promise<T> {
    if (this.isStopped) return Promise.reject(stopped());
    return new Promise<T>((resolve, reject) => {
      const run = async () => {
        try {
          resolve(await act());
        } catch (thrown) {
          reject(thrown as Error);
        }
      };
      this.slices.push({ run, reject });
      this.next();
    });
  }

  /** How long the thread has been at what it does; 0 when it does nothing. Times are `performance.now()`. */
  outstandingMs(nowMs: number): number {
    return this.startedAt === null ? 0 : nowMs - this.startedAt;
  }

  /** Nothing is started any more. */
  stop(reason: Error): void {
    this.isStopped = true;
    this.writes = [];
    for (const { reject } of this.slices.splice(0)) reject(reason);
  }

  private next(): void {
    if (this.startedAt !== null || this.isStopped) return;
    const slice = this.isSliceDue || this.writes.length === 0 ? this.slices.shift() : undefined;
    if (slice === undefined && this.writes.length === 0) return;
    this.startedAt = performance.now();
    this.isSliceDue = slice === undefined;
    if (slice === undefined) this.commit(this.writes.splice(0, this.ports.maxGroup));
    else void slice.run().then(() => this.ended());
  }

  private ended(): void {
    this.startedAt = null;
    this.next();
  }

  private commit(writes: readonly Write[]): void {
    this.ports.commit(writes).then(
      () => {
        if (this.isStopped) return;
        // The next is started first, so that the disk works while the caller does.
        this.ended();
        this.ports.committed(writes);
      },
      (thrown: unknown) => this.ports.failed(thrown),
    );
  }
}
