// The page for people, as tools/build.mjs left it beside the program: one document under a strict policy, and its parts, whose
// names carry a hash of what is in them. What the page shows it asks for under /v1, with a token, like everyone else.

import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SkeinError } from '@skein/contracts';
import type { FastifyInstance } from 'fastify';

/** Nothing from elsewhere, no script or style that stands in the document, and in nobody's frame. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // The document names the current parts; they themselves never change.
  'cache-control': 'no-cache',
};

/** Where the built page lies; undefined where none was built. */
export function dashboardFolder(): string | undefined {
  const folder = fileURLToPath(new URL('./dashboard', import.meta.url));
  return existsSync(`${folder}/index.html`) ? folder : undefined;
}

export function mountDashboard(scope: FastifyInstance, folder: string): void {
  const document = readFileSync(`${folder}/index.html`, 'utf8');
  scope.get('/', (_request, reply) =>
    reply.headers(headers).type('text/html; charset=utf-8').send(document),
  );
  // Only what was there at the start is served, by its whole name: no path is ever made of what is asked for.
  const names = new Set(readdirSync(`${folder}/assets`));
  scope.get<{ Params: { name: string } }>('/assets/:name', (request, reply) => {
    const { name } = request.params;
    const mediaType = mediaTypes[extname(name)];
    if (mediaType === undefined || !names.has(name))
      throw new SkeinError('route_not_found', `There is nothing at ${request.url}`);
    const form = compressedForm(request.headers['accept-encoding'], name, names);
    if (form !== undefined) void reply.header('content-encoding', form.encoding);
    return reply
      .headers({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' })
      .type(mediaType)
      .send(createReadStream(`${folder}/assets/${form?.name ?? name}`));
  });
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The smallest form of a file that the browser takes. */
function compressedForm(
  accepted: string | string[] | undefined,
  name: string,
  names: ReadonlySet<string>,
): { readonly name: string; readonly encoding: string } | undefined {
  const taken = String(accepted ?? '')
    .split(',')
    .map((each) => each.trim().split(';')[0]);
  const forms = [
    { name: `${name}.br`, encoding: 'br' },
    { name: `${name}.gz`, encoding: 'gzip' },
  ];
  return forms.find((form) => taken.includes(form.encoding) && names.has(form.name));
}
