// Simulated time: events in the order of their moments, and of their scheduling where moments are
// equal. Nothing moves by itself; `runNext` is the only clock. It must not know what the events do.

interface ScheduledEvent {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  nowMs = 0;
  private nextOrder = 0;
  private readonly heap: ScheduledEvent[] = [];

  get size(): number {
    return this.heap.length;
  }

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.nextOrder, run };
    this.nextOrder += 1;
    this.heap.push(event);
    this.siftUp(this.heap.length - 1);
  }

  /** Runs the next event and moves time to its moment. False when none is left. */
  runNext(): boolean {
    const first = this.heap[0];
    if (first === undefined) return false;
    const last = this.heap.pop() as ScheduledEvent;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.siftDown(0);
    }
    this.nowMs = first.atMs;
    first.run();
    return true;
  }

  private isBefore(a: number, b: number): boolean {
    const left = this.heap[a] as ScheduledEvent;
    const right = this.heap[b] as ScheduledEvent;
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }

  private swap(a: number, b: number): void {
    const held = this.heap[a] as ScheduledEvent;
    this.heap[a] = this.heap[b] as ScheduledEvent;
    this.heap[b] = held;
  }

  private siftUp(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private siftDown(from: number): void {
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.heap.length && this.isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }
}
