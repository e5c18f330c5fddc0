// Counts of one endpoint, in the form that NATS' services protocol reports. Latency is counted until the reply is sent.

export interface EndpointCounts {
  readonly num_requests: number;
  readonly num_errors: number;
  readonly last_error: string;
  readonly processing_time: number;
  readonly average_processing_time: number;
}

export class EndpointStats {
  #requests = 0;
  #errors = 0;
  #lastError = '';
  #processingMs = 0;

  count(elapsedMs: number, error?: string): void {
    this.#requests += 1;
    this.#processingMs += elapsedMs;
    if (error === undefined) return;
    this.#errors += 1;
    this.#lastError = error;
  }

  /** Times in nanoseconds, as the protocol has them. */
  counts(): EndpointCounts {
    const nanoseconds = Math.round(this.#processingMs * 1e6);
    return {
      num_requests: this.#requests,
      num_errors: this.#errors,
      last_error: this.#lastError,
      processing_time: nanoseconds,
      average_processing_time: this.#requests === 0 ? 0 : Math.round(nanoseconds / this.#requests),
    };
  }
}
