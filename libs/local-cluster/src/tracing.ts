// A collector of traces out here, as the services of a private world reach it: at an address of their own underlay, from where
// bytes are carried to a socket in the file system, and from there to the collector.

import { SkeinError } from '@skein/contracts';
import { underlayAddress } from './layout';

/** `OTEL_…` settings, as OpenTelemetry's specification has them. */
export type TracingSettings = Readonly<Record<string, string>>;

export interface Collector {
  readonly host: string;
  readonly port: number;
}

/** Where a world's services find the way to the collector; the port that collectors have by themselves. */
export const wayOutPort = 4318;

const own = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const forAll = 'OTEL_EXPORTER_OTLP_ENDPOINT';

/** Those of an environment, if it names a collector. Throws `invalid_request` for one that a world can't reach. */
export function tracingIn(
  environment: Readonly<Record<string, string | undefined>>,
): TracingSettings | undefined {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('OTEL_') && value !== undefined && value !== '') settings[name] = value;
  }
  if (settings[own] === undefined && settings[forAll] === undefined) return undefined;
  collectorOf(settings);
  return settings;
}

export function collectorOf(settings: TracingSettings): Collector {
  const [name, text] =
    settings[own] === undefined ? [forAll, settings[forAll] ?? ''] : [own, settings[own]];
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:') {
    throw new SkeinError('invalid_request', `a local cluster sends traces to http:// alone`, {
      field: name,
    });
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 80 };
}

/** The same settings, with the way out in the collector's place. */
export function asSeenInside(settings: TracingSettings): TracingSettings {
  const name = settings[own] === undefined ? forAll : own;
  const { [own]: _own, [forAll]: _forAll, ...others } = settings;
  const { pathname } = new URL(settings[name] ?? '');
  const inside = `http://${underlayAddress}:${wayOutPort}${pathname === '/' ? '' : pathname}`;
  return { ...others, [name]: inside };
}
