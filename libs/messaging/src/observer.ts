// Whoever wants to know how long conversations take. There is one at most, and it is told after the answer has left.

export interface ConversationObserver {
  /** `service.verb`, milliseconds, and `ok` or the error's code. */
  answered(contract: string, ms: number, code: string): void;
  asked(contract: string, ms: number, code: string): void;
}

/** Who is to be told at the moment. */
export interface Observed {
  by: ConversationObserver | undefined;
}
