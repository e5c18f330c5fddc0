import { describe, expect, it } from '@jest/globals';
import { errorCodes } from '@skein/contracts';
import { methodsOf } from '../http/edge';
import { errorsOf, openApiDocument } from '../http/openapi';
import { fastifyPath } from '../http/router';
import { bigSum } from './networks';
import { parseAt } from './history';
import { routes } from './index';

const document = await openApiDocument(routes);
const named = routes.map((route) => ({ name: `${route.method} ${route.path}`, route }));

/** Every `$ref` of the document. */
function references(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' ? [String(value)] : references(value),
  );
}

function resolve(reference: string): unknown {
  const path = reference.replace(/^#\//, '').split('/');
  return path.reduce<unknown>((node, key) => (node as Record<string, unknown>)?.[key], document);
}

describe('route table', () => {
  it('names each operation and each way to it once', () => {
    expect(new Set(routes.map((route) => route.operation)).size).toBe(routes.length);
    expect(new Set(named.map(({ name }) => name)).size).toBe(routes.length);
  });

  it('has the paths of the gateway contract', () => {
    expect(named.map(({ name }) => name).toSorted()).toEqual([
      'DELETE /v1/cluster/alarms',
      'DELETE /v1/cluster/members/{member}',
      'DELETE /v1/exclusions',
      'DELETE /v1/hosts/{host}',
      'DELETE /v1/join-tokens/{token}',
      'DELETE /v1/leases/{lease}',
      'DELETE /v1/networks/{network}',
      'DELETE /v1/networks/{network}/endpoints/{endpoint}',
      'DELETE /v1/networks/{network}/services/{service}',
      'DELETE /v1/tokens/{token}',
      'GET /v1/addresses/{address}',
      'GET /v1/cluster',
      'GET /v1/cluster/alarms',
      'GET /v1/cluster/backup',
      'GET /v1/cluster/members',
      'GET /v1/cluster/replicas/{replica}',
      'GET /v1/cluster/replicas/{replica}/hash',
      'GET /v1/cluster/settings',
      'GET /v1/events',
      'GET /v1/exclusions',
      'GET /v1/explain',
      'GET /v1/hosts',
      'GET /v1/hosts/{host}',
      'GET /v1/hosts/{host}/networks',
      'GET /v1/join-tokens',
      'GET /v1/kv',
      'GET /v1/kv/history',
      'GET /v1/kv/watch',
      'GET /v1/leases',
      'GET /v1/leases/{lease}',
      'GET /v1/networks',
      'GET /v1/networks/{network}',
      'GET /v1/networks/{network}/addresses',
      'GET /v1/networks/{network}/endpoints',
      'GET /v1/networks/{network}/endpoints/{endpoint}',
      'GET /v1/networks/{network}/services',
      'GET /v1/networks/{network}/services/{service}',
      'GET /v1/reachability',
      'GET /v1/tokens',
      'GET /v1/traffic',
      'POST /v1/addresses:audit',
      'POST /v1/cluster/leader',
      'POST /v1/cluster/members',
      'POST /v1/cluster/members/{member}:demote',
      'POST /v1/cluster/members/{member}:promote',
      'POST /v1/cluster/replicas/{replica}:recover',
      'POST /v1/cluster/replicas/{replica}:rotate-key',
      'POST /v1/cluster/replicas/{replica}:unlock',
      'POST /v1/cluster/settings',
      'POST /v1/exclusions',
      'POST /v1/hosts/{host}:drain',
      'POST /v1/hosts/{host}:readmit',
      'POST /v1/hosts/{host}:undrain',
      'POST /v1/join-tokens',
      'POST /v1/kv/txn',
      'POST /v1/kv:compact',
      'POST /v1/leases',
      'POST /v1/leases/{lease}:keepalive',
      'POST /v1/networks',
      'POST /v1/networks/{network}/endpoints',
      'POST /v1/networks/{network}/endpoints:batch',
      'POST /v1/networks/{network}/services',
      'POST /v1/networks/{network}/subnets',
      'POST /v1/tokens',
    ]);
  });

  it.each(named)('$name demands a role that fits its method', ({ route }) => {
    // A backup reads, but all there is at once: not for everybody who may look.
    const isRead = route.method === 'GET' && route.operation !== 'takeBackup';
    expect(route.role === 'viewer').toBe(isRead);
  });

  it.each(named)('$name has examples that fit its schemas', ({ route }) => {
    expect(route.success.schema.safeParse(route.success.example).error).toBeUndefined();
    if (route.body !== undefined) {
      expect(route.body.safeParse(route.bodyExample).error).toBeUndefined();
    }
  });

  it.each(named)('$name refuses unknown query fields', ({ route }) => {
    const refused = route.query.safeParse({ nonsense: '1' });
    expect(refused.error?.issues.map((issue) => issue.code)).toContain('unrecognized_keys');
  });

  it.each(named)('$name is documented with every error that it can answer', ({ route }) => {
    const paths = document.paths as Record<string, Record<string, Operation>>;
    const operation = paths[route.path]?.[route.method.toLowerCase()];
    expect(operation?.summary).toMatch(/\.$/);
    expect(operation?.responses[route.success.status]).toBeDefined();
    for (const code of errorsOf(route)) {
      const problem = operation?.responses[errorCodes[code].status];
      expect(problem?.content['application/problem+json'].examples[code]).toBeDefined();
    }
  });
});

interface Operation {
  summary: string;
  responses: Record<
    number,
    { content: { 'application/problem+json': { examples: Record<string, object> } } }
  >;
}

describe('OpenAPI document', () => {
  it('is version 3.1 and resolves all of its references', () => {
    expect(document.openapi).toBe('3.1.0');
    const all = references(document);
    expect(all.length).toBeGreaterThan(routes.length);
    expect(all.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  it('describes the path parameters of each operation', () => {
    for (const [path, operations] of Object.entries(document.paths ?? {})) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      for (const operation of Object.values(
        operations as Record<string, { parameters: Parameter[] }>,
      )) {
        const described = operation.parameters.filter((each) => each.in === 'path');
        expect(described.map((each) => each.name)).toEqual(wanted);
      }
    }
  });

  it('shows whole numbers of a query as such', () => {
    const limit = JSON.stringify(document.paths?.['/v1/networks']?.get?.parameters);
    expect(limit).toContain('"type":"integer"');
  });
});

interface Parameter {
  in: string;
  name: string;
}

describe('methodsOf', () => {
  it('knows which methods a path takes', () => {
    expect(methodsOf(routes, '/v1/networks')).toEqual(['GET', 'POST']);
    expect(methodsOf(routes, '/v1/networks/web/endpoints:batch')).toEqual(['POST']);
    expect(methodsOf(routes, '/v1/nowhere')).toEqual([]);
  });
});

describe('fastifyPath', () => {
  it('keeps a colon of the path apart from a parameter', () => {
    expect(fastifyPath('/v1/networks/{network}/endpoints:batch')).toBe(
      '/v1/networks/:network/endpoints::batch',
    );
    expect(fastifyPath('/v1/leases/{lease}:keepalive')).toBe('/v1/leases/:lease([^]+)::keepalive');
  });
});

describe('parseAt', () => {
  it.each([
    ['19', { atRevision: 19 }],
    ['2026-11-22T18:30:00Z', { atTime: Date.UTC(2026, 10, 22, 18, 30) }],
    ['2026-11-22T20:30:00+02:00', { atTime: Date.UTC(2026, 10, 22, 18, 30) }],
  ])('reads %s', (text, at) => {
    expect(parseAt(text)).toEqual(at);
  });

  it.each(['yesterday', '2026-11-22', '2026-11-22T18:30:00', '-1'])('refuses %s', (text) => {
    expect(() => parseAt(text)).toThrow(/neither a revision nor a time/);
  });
});

describe('bigSum', () => {
  it('answers a number as long as it is exact', () => {
    expect(bigSum([254, 254])).toBe(508);
    expect(bigSum(['18446744073709551616', 254])).toBe('18446744073709551870');
  });
});
