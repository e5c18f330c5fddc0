// The answer of every parser here: the value, or why the text is none. Text comes from people and files, so a bad one is a
// refusal to be shown to them, never an exception; `required` is for text that this system wrote itself.

export type ParseReason =
  | 'empty'
  | 'not_an_address'
  | 'octet_count'
  | 'octet_range'
  | 'leading_zero'
  | 'group_count'
  | 'group_range'
  | 'zone_not_allowed'
  | 'prefix_missing'
  | 'prefix_malformed'
  | 'prefix_too_long'
  | 'host_bits_set'
  | 'not_a_mac'
  | 'mac_multicast';

export interface Refused {
  readonly ok: false;
  readonly reason: ParseReason;
  /** One sentence for people. */
  readonly message: string;
}
export type Parsed<Value> = { readonly ok: true; readonly value: Value } | Refused;

export function parsed<Value>(value: Value): Parsed<Value> {
  return { ok: true, value };
}

export function refused(reason: ParseReason, message: string): Refused {
  return { ok: false, reason, message };
}

/** The value of text that must be right because it was checked before; throws if it is not: that is a bug. */
export function required<Value>(result: Parsed<Value>): Value {
  if (!result.ok) throw new Error(`expected text that was checked before: ${result.message}`);
  return result.value;
}
