// One thing at a time: runs inputs in order, also those that come up while one is being run, and ends at the first fault.

export interface StepPorts<Input> {
  run(input: Input): void;
  failed(error: Error): void;
}

export class StepLoop<Input> {
  hasEnded = false;
  private readonly inputs: Input[] = [];
  private isRunning = false;

  constructor(private readonly ports: StepPorts<Input>) {}

  /** Invariant: a step is done in full or is the last one. Its caller, who may go on after anything, is not asked. */
  input(input: Input): void {
    if (this.hasEnded) return;
    this.inputs.push(input);
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      for (let next = this.inputs.shift(); next !== undefined; next = this.inputs.shift()) {
        this.ports.run(next);
      }
    } catch (thrown) {
      this.fail(thrown);
    } finally {
      this.isRunning = false;
    }
  }

  guard(act: () => void): void {
    if (this.hasEnded) return;
    try {
      act();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  private fail(thrown: unknown): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.ports.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}
