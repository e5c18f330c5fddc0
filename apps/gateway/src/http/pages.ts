// The few pages for people: what this is, the operations, the errors. Self-contained HTML, nothing from elsewhere.

import { errorCodes, type ErrorHelp } from '@skein/contracts';
import type { Route } from './route';

const style = `
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
code,pre{font:14px/1.4 ui-monospace,monospace}
h2{margin-top:2rem;border-bottom:1px solid #8884}
dt{margin-top:1rem}dd{margin-left:1.5rem}
.m{display:inline-block;min-width:4.5rem;font-weight:600}
.q{opacity:.7}:target{background:#fd04}`;

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${style}</style></head><body>${body}</body></html>\n`;
}

export function homePage(): string {
  return page(
    'Skein',
    `<h1>Skein</h1><p>Overlay networks that span container hosts. This is the gateway: the door for people and programs.</p>
<ul><li><a href="/docs">Operations</a> and <a href="/openapi.json">OpenAPI 3.1</a></li>
<li><a href="/docs/errors">Error codes</a></li>
<li><a href="/healthz">Alive?</a> <a href="/readyz">Ready?</a> <a href="/metrics">Metrics</a></li></ul>
<p>Requests to <code>/v1</code> carry a token: <code>Authorization: Bearer …</code>. The command line finds its own.</p>`,
  );
}

export function operationsPage(routes: readonly Route[]): string {
  const tags = [...new Set(routes.map((route) => route.tag))];
  const sections = tags.map((tag) => {
    const items = routes.filter((route) => route.tag === tag).map(operation);
    return `<h2>${escape(tag)}</h2><dl>${items.join('')}</dl>`;
  });
  return page(
    'Skein: operations',
    `<p><a href="/">Skein</a></p><h1>Operations</h1><p>Schemas and examples: <a href="/openapi.json">openapi.json</a>.</p>${sections.join('')}`,
  );
}

function operation(route: Route): string {
  const example =
    route.bodyExample === undefined
      ? ''
      : `<pre>${escape(JSON.stringify(route.bodyExample, null, 2))}</pre>`;
  return `<dt id="${escape(route.operation)}"><span class="m">${route.method}</span> <code>${escape(route.path)}</code></dt>
<dd>${escape(route.description ?? route.summary)} <span class="q">Role: ${route.role}.</span>${example}</dd>`;
}

export function errorsPage(help: readonly ErrorHelp[]): string {
  const known = new Map(help.map((each) => [each.code, each]));
  const items = Object.entries(errorCodes).map(([code, { status, exit, title, retryable }]) => {
    const { cause = '', remedy = '' } = known.get(code) ?? {};
    return `<dt id="${code}"><code>${code}</code> <span class="q">HTTP ${status}, exit code ${exit}${retryable ? ', retryable' : ''}</span></dt>
<dd>${escape(title)}. ${inline(cause)}<br>${inline(remedy)}</dd>`;
  });
  return page(
    'Skein: errors',
    `<p><a href="/">Skein</a></p><h1>Errors</h1><dl>${items.join('')}</dl>`,
  );
}

function inline(markdown: string): string {
  return escape(markdown).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
