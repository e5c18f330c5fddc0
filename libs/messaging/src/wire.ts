// What travels: header names, JSON bodies, error replies. Knows nothing of connections, services or contracts.

import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { errorCodes, SkeinError } from '@skein/contracts';
import { traceparentHeader } from './tracing';

export const requestIdHeader = 'Skein-Request-Id';
/** Ids of further requests that a message serves, with blanks between them. */
export const alsoForHeader = 'Skein-Also-For';
export const timeoutHeader = 'Skein-Timeout-Ms';
/** The two that NATS' services protocol defines for errors. */
export const errorCodeHeader = 'Nats-Service-Error-Code';
export const errorHeader = 'Nats-Service-Error';

/** Largest body that is sent or taken, in bytes; NATS' own default for a message is the same. */
export const maxBodyBytes = 1_048_576;
/** Room that headers may take of a server's message limit, in bytes. */
export const headerRoomBytes = 1_024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeJson(body: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(body));
}

/** An empty body reads as `{}`, so that `nats req <subject> ''` asks a question without fields. */
export function decodeJson(data: Uint8Array): unknown {
  if (data.length === 0) return {};
  try {
    return JSON.parse(decoder.decode(data));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SkeinError('malformed_json', `The body is not JSON: ${reason}`, { cause });
  }
}

export function checkBodySize(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new SkeinError('payload_too_large', `The body has ${bytes} bytes, the limit is ${limit}`, {
    facts: { bytes, limit },
  });
}

export interface RequestHeaders {
  readonly requestId: string;
  readonly remainingMs: number;
  readonly alsoFor?: readonly string[] | undefined;
  readonly traceparent?: string | undefined;
}

export function requestHeaders(of: RequestHeaders): MsgHdrs {
  const { requestId, remainingMs, alsoFor = [], traceparent } = of;
  const all = headers();
  all.set(requestIdHeader, requestId);
  if (alsoFor.length > 0) all.set(alsoForHeader, alsoFor.join(' '));
  all.set(timeoutHeader, String(Math.ceil(remainingMs)));
  if (traceparent !== undefined) all.set(traceparentHeader, traceparent);
  return all;
}

export function errorReply(
  error: SkeinError,
  requestId: string,
): { data: Uint8Array; headers: MsgHdrs } {
  const all = headers();
  all.set(errorCodeHeader, String(errorCodes[error.code].status));
  all.set(errorHeader, error.code);
  all.set(requestIdHeader, requestId);
  return { data: encodeJson(error.toBody()), headers: all };
}

/** The error that a reply carries, or undefined if it is an answer. */
export function errorOf(data: Uint8Array, all: MsgHdrs | undefined): SkeinError | undefined {
  if (all === undefined || !all.has(errorCodeHeader)) return undefined;
  try {
    return SkeinError.fromBody(decodeJson(data));
  } catch {
    return SkeinError.fromBody(all.get(errorHeader));
  }
}
