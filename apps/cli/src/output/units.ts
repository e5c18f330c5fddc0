// Amounts as people write and read them: sizes in powers of 1024, durations with their unit.

import { SkeinError } from '@skein/contracts';

const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const sizes: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4 };
const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1_024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${sizeUnits[power]}`;
}

/** `512`, `64KiB`, `2GiB`, `2g`: always powers of 1024. Throws `invalid_request`. */
export function parseBytes(text: string, field: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?$/i.exec(text.trim());
  const bytes = Math.round(
    Number(found?.[1]) * 1_024 ** (sizes[(found?.[2] ?? '').toLowerCase()] ?? 0),
  );
  if (found !== null && Number.isSafeInteger(bytes)) return bytes;
  throw new SkeinError('invalid_request', `'${text}' is no size such as 512, 64MiB or 2GiB`, {
    field,
  });
}

/** `1500ms`, `30s`, `5m`, `12h`, `2d`; a bare number is seconds. In milliseconds. Throws `invalid_request`. */
export function parseDuration(text: string, field: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim());
  const ms = Math.round(Number(found?.[1]) * (durations[found?.[2] ?? 's'] ?? NaN));
  if (found !== null && Number.isSafeInteger(ms)) return ms;
  const forms =
    'expected a number with ms, s, m, h or d, as in 500ms, 30s or 12h; alone it counts seconds';
  throw new SkeinError('invalid_request', `'${text}' is no duration: ${forms}`, { field });
}

/** `1 key`, `2 keys`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** What is so of all of them, however many there are. */
export function all(count: number, predicate: { one: string; many: string }): string {
  if (count === 0) return 'there is none';
  return count === 1 ? `the only one ${predicate.one}` : `all ${count} ${predicate.many}`;
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}
