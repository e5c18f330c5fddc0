// The replica's clock: ticks at an even pace on the monotonic clock. After a stall of the process it goes on with one tick,
// never a burst: what the others said in the meantime still waits to be read, and must be heard before time is held to be up.

export class Ticker {
  private timer: NodeJS.Timeout | undefined;
  private dueAt = 0;

  constructor(
    private readonly intervalMs: number,
    private readonly onTick: (nowMs: number) => void,
  ) {}

  start(): void {
    this.dueAt = performance.now();
    this.schedule();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private schedule(): void {
    const now = performance.now();
    this.dueAt += this.intervalMs;
    if (this.dueAt < now) this.dueAt = now + this.intervalMs;
    this.timer = setTimeout(() => {
      this.schedule();
      this.onTick(performance.now());
    }, this.dueAt - now);
  }
}
