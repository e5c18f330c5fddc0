// Moments as people say them, turned into what the gateway takes: a revision, or a time with its offset. A time of day is the latest
// one that has been; a date without an offset is of this machine's own time.

import { SkeinError } from '@skein/contracts';
import { parseDuration } from './units';

const dayMs = 86_400_000;

/** `42`, `14:32`, `14:32:10`, `2026-11-22 18:30`, RFC 3339, or `10m ago`. Throws `invalid_request`. */
export function parseMoment(text: string, now: number): string {
  const wanted = text.trim();
  if (/^\d{1,15}$/.test(wanted)) return wanted;
  const ago = /^(\S+) ago$/.exec(wanted)?.[1];
  if (ago !== undefined) return new Date(now - parseDuration(ago, 'at')).toISOString();
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(wanted);
  if (clock !== null)
    return latest(
      clock.slice(1).map((part) => Number(part ?? 0)),
      now,
    );
  const parsed = /^\d{4}-\d{2}-\d{2}/.test(wanted) ? new Date(wanted.replace(' ', 'T')) : undefined;
  if (parsed !== undefined && !Number.isNaN(parsed.getTime())) return parsed.toISOString();
  throw noMoment(text);
}

function latest([hours = 0, minutes = 0, seconds = 0]: readonly number[], now: number): string {
  if (hours > 23 || minutes > 59 || seconds > 59) {
    throw noMoment([hours, minutes, seconds].join(':'));
  }
  const today = new Date(now).setHours(hours, minutes, seconds, 0);
  if (today <= now) return new Date(today).toISOString();
  return new Date(new Date(now - dayMs).setHours(hours, minutes, seconds, 0)).toISOString();
}

function noMoment(text: string): SkeinError {
  const message = `'${text}' is no moment such as 14:32, '10m ago', 2026-11-22T18:30:00Z or a revision`;
  return new SkeinError('invalid_request', message, { field: 'at' });
}
