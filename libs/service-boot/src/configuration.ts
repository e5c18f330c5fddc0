// Configuration from the environment: parsed once by a schema, all faults told at once, frozen. The variable of a field
// `dataDir` is SKEIN_DATA_DIR; one that has a standard name keeps it. Nothing else in a service reads the environment.

import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;
type Shape = Readonly<Record<string, z.ZodType>>;

export const environmentPrefix = 'SKEIN_';
/** Names that OpenTelemetry's specification gives. */
const standardPrefix = 'OTEL_';

/** Thrown with one line for each fault. */
export class ConfigurationError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((f) => `  ${f}`).join('\n')}`,
    );
    this.name = 'ConfigurationError';
    this.faults = faults;
  }
}

export function environmentName(field: string): string {
  if (field.startsWith(environmentPrefix) || field.startsWith(standardPrefix)) return field;
  return environmentPrefix + field.replace(/[A-Z]/g, '_$&').toUpperCase();
}

/** An empty variable counts as absent. */
export function parseConfiguration<S extends z.ZodObject>(
  schema: S,
  environment: Environment,
): Readonly<z.output<S>> {
  const fields = Object.keys(schema.shape as Shape);
  const given: Record<string, string> = {};
  for (const field of fields) {
    const value = environment[environmentName(field)];
    if (value !== undefined && value !== '') given[field] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new ConfigurationError(parsed.error.issues.map(describeFault));
}

function describeFault(issue: z.core.$ZodIssue): string {
  const [field, ...rest] = issue.path.map(String);
  const variable = field === undefined ? 'configuration' : environmentName(field);
  const place = rest.length === 0 ? variable : `${variable} (${rest.join('.')})`;
  const absent = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return absent ? `${place}: missing` : `${place}: ${issue.message}`;
}

/** Schema of a list written as `a,b,c`. */
export function commaList(): z.ZodType<string[], string | undefined> {
  return z
    .string()
    .optional()
    .transform((text) => (text ?? '').split(',').map((item) => item.trim()))
    .transform((items) => items.filter((item) => item !== ''));
}

/** Schema of a whole number within bounds, written in decimal. */
export function wholeNumber(bounds: { min: number; max: number }): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^-?\d+$/, 'expected a whole number')
    .transform(Number)
    .refine((n) => n >= bounds.min && n <= bounds.max, `expected ${bounds.min} to ${bounds.max}`);
}

const natsUrl = z.string().default('nats://127.0.0.1:4222');

const traceSamplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** What every service takes besides its own. */
export const commonSchema = z.object({
  natsUrl: natsUrl.transform((text) => text.split(',').map((url) => url.trim())),
  natsUser: z.string().optional(),
  natsPassword: z.string().optional(),
  /** File with this user's NATS credentials; in place of user and password. */
  natsCreds: z.string().optional(),
  /** File with the certificates that sign the servers' own: TLS, and nothing else. */
  natsCa: z.string().optional(),
  natsInbox: z.string().optional(),
  natsConnectTimeoutMs: wholeNumber({ min: 100, max: 600_000 }).optional(),
  checkReplies: z.stringbool().default(false),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Where `/metrics` of this service is served; none: nowhere, and nothing is measured. 0: any free port. */
  metricsPort: wholeNumber({ min: 0, max: 65_535 }).optional(),
  metricsAddress: z.string().default('127.0.0.1'),
  exitWithParent: z.stringbool().default(false),
  /** Kept fresh while the service is well, absent otherwise: what a container's health check looks at. */
  healthFile: z.string().optional(),
  readyFd: wholeNumber({ min: 1, max: 1_023 }).optional(),
  /** Where traces are sent; neither: nothing is followed. Further `OTEL_…` settings are read by OpenTelemetry's own packages. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_SDK_DISABLED: z.stringbool().default(false),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none']).default('otlp'),
  OTEL_TRACES_SAMPLER: z.enum(traceSamplers).default('parentbased_always_on'),
});
export type CommonConfiguration = Readonly<z.output<typeof commonSchema>>;

/** JSON in a variable's text; what is in it is for the schema behind it to say. */
export const jsonText = () =>
  z.string().transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected JSON' });
      return z.NEVER;
    }
  });
