// The one error type that crosses a service's edge. It carries a code of the registry and facts, never a stack.

import { errorCodes, isErrorCode, type ErrorCode } from './error-codes';

/** JSON form of an error, as NATS replies and (with status and title) the gateway carry it. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** Path of the offending field, as in `subnets.0.cidr`. */
  readonly field?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface SkeinErrorOptions {
  readonly field?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class SkeinError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SkeinErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'SkeinError';
    this.code = code;
    this.field = options.field;
    this.facts = options.facts ?? {};
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(Object.keys(this.facts).length === 0 ? {} : { facts: this.facts }),
    };
  }

  /** Rebuilds an error from a reply; a body that is no error of the registry becomes `internal`. */
  static fromBody(body: unknown): SkeinError {
    const candidate = body as Partial<ErrorBody> | null;
    if (typeof candidate?.code !== 'string' || !isErrorCode(candidate.code)) {
      return new SkeinError('internal', 'The service answered with an unknown error', {
        facts: { body },
      });
    }
    return new SkeinError(candidate.code, String(candidate.message ?? candidate.code), {
      ...(candidate.field === undefined ? {} : { field: candidate.field }),
      ...(candidate.facts === undefined ? {} : { facts: candidate.facts }),
    });
  }

  /** Any thrown value as a SkeinError; what is not one becomes `internal` with its cause kept. */
  static from(thrown: unknown): SkeinError {
    if (thrown instanceof SkeinError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new SkeinError('internal', message, { cause: thrown });
  }
}
