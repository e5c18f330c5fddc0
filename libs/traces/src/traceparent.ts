// The one header of W3C Trace Context: which trace, which part of it, whether anybody records it.

export interface TracePlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined for what is none; versions to come are read as far as this one goes. */
export function parseTraceparent(text: string): TracePlace | undefined {
  const [, version = 'ff', traceId = '', spanId = '', flags = '00', rest] = form.exec(text) ?? [];
  const isKnown = version !== 'ff' && (version !== '00' || rest === undefined);
  if (!isKnown || /^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TracePlace): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
