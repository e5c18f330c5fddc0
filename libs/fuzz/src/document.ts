// The gateway's OpenAPI document as the fuzz needs it: each operation with what it takes, and what it may answer under which status.
// Knows the document alone; nothing here is taken from the gateway's own schemas.

import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;
export type Definitions = Readonly<Record<string, JsonSchema>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: JsonSchema;
}

export interface DocumentedAnswer {
  /** Media type, without parameters, and what a body of it looks like. */
  readonly bodies: ReadonlyMap<string, z.ZodType>;
  /** Of errors: the codes that have an example. */
  readonly codes: ReadonlySet<string>;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  /** As in `/v1/networks/{network}`. */
  readonly path: string;
  readonly role: string;
  readonly parameters: readonly Parameter[];
  readonly body: JsonSchema | undefined;
  readonly answers: ReadonlyMap<number, DocumentedAnswer>;
  /** True if a body, parsed, is one that the document describes. */
  readonly takesBody: (body: unknown) => boolean;
  readonly takesParameter: (parameter: Parameter, value: unknown) => boolean;
}

export interface GatewayDocument {
  readonly operations: readonly Operation[];
  readonly definitions: Definitions;
}

const answerSchema = z.object({
  content: z
    .record(
      z.string(),
      z.object({
        schema: z.record(z.string(), z.unknown()).default({}),
        examples: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default({}),
});
const operationSchema = z.object({
  operationId: z.string(),
  description: z.string(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean().default(false),
        schema: z.record(z.string(), z.unknown()),
      }),
    )
    .default([]),
  requestBody: z
    .object({
      content: z.object({
        'application/json': z.object({ schema: z.record(z.string(), z.unknown()) }),
      }),
    })
    .optional(),
  responses: z.record(z.string(), answerSchema),
});
const documentSchema = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

const componentPrefix = '#/components/schemas/';

/** Throws if the document is not one that can be read. */
export function readDocument(text: string): GatewayDocument {
  const { paths, components } = documentSchema.parse(
    JSON.parse(text.replaceAll(componentPrefix, '#/$defs/')),
  );
  const definitions = components.schemas;
  const checkers = new Map<JsonSchema, z.ZodType>();
  const checker = (schema: JsonSchema): z.ZodType => {
    const known = checkers.get(schema);
    if (known !== undefined) return known;
    const made = z.fromJSONSchema({ ...schema, $defs: definitions } as never);
    checkers.set(schema, made);
    return made;
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]): Operation => {
      const body = each.requestBody?.content['application/json'].schema;
      return {
        id: each.operationId,
        method: method.toUpperCase(),
        path,
        role: /role `(\w+)`/.exec(each.description)?.[1] ?? '',
        parameters: each.parameters,
        body,
        answers: new Map(
          Object.entries(each.responses).map(([status, { content }]) => [
            Number(status),
            answerOf(content, checker),
          ]),
        ),
        takesBody: (value) => body === undefined || checker(body).safeParse(value).success,
        takesParameter: ({ schema }, value) => checker(schema).safeParse(value).success,
      };
    }),
  );
  return { operations, definitions };
}

function answerOf(
  content: z.output<typeof answerSchema>['content'],
  checker: (schema: JsonSchema) => z.ZodType,
): DocumentedAnswer {
  const bodies = Object.entries(content).map(
    ([type, { schema }]) => [type, checker(schema)] as const,
  );
  const codes = Object.values(content).flatMap(({ examples = {} }) => Object.keys(examples));
  return { bodies: new Map(bodies), codes: new Set(codes) };
}

/** Which operation a request is one of; undefined if there is none at its path under its method. */
export function operationAt(
  { operations }: GatewayDocument,
  method: string,
  path: string,
): Operation | undefined {
  // A HEAD is answered like a GET, without the body.
  const asked = method === 'HEAD' ? 'GET' : method;
  const [pathname = ''] = path.split('?');
  const matching = operations.filter(
    (each) => each.method === asked && patternOf(each.path).test(pathname),
  );
  return matching.find((each) => !each.path.includes('{')) ?? withVerb(matching) ?? matching[0];
}

const withVerb = (matching: readonly Operation[]): Operation | undefined =>
  matching.find((each) => each.path.includes('}:'));

const patterns = new Map<string, RegExp>();

function patternOf(path: string): RegExp {
  const known = patterns.get(path);
  if (known !== undefined) return known;
  const escaped = path.replace(/[.:]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+');
  const made = new RegExp(`^${escaped}$`);
  patterns.set(path, made);
  return made;
}
