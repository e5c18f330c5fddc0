// Lets one action in at a time, in the order of their coming.

export class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  pass<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
