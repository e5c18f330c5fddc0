// Which part of its trace each request is at: the latest that has begun and not ended. Requests that meet in a message, a batch or a
// transaction are told apart by their ids, as in the logs, where a call stack would know only the one that happened to come last.

export class PartBook<Place> {
  readonly #places = new Map<string, Place[]>();

  /** Until the answer is called, work for these requests is a part of this place. */
  enter(requestIds: readonly string[], place: Place): () => void {
    for (const id of requestIds) {
      const entered = this.#places.get(id);
      if (entered === undefined) this.#places.set(id, [place]);
      else entered.push(place);
    }
    return () => this.#leave(requestIds, place);
  }

  at(requestId: string): Place | undefined {
    return this.#places.get(requestId)?.at(-1);
  }

  /** Requests that are somewhere. */
  get size(): number {
    return this.#places.size;
  }

  #leave(requestIds: readonly string[], place: Place): void {
    for (const id of requestIds) {
      const left = (this.#places.get(id) ?? []).filter((each) => each !== place);
      if (left.length === 0) this.#places.delete(id);
      else this.#places.set(id, left);
    }
  }
}
