// Where the gateway is and what opens it: SKEIN_URL and SKEIN_TOKEN, else the `.skein/client.json` that `up` and `demo` write,
// in this folder, one above it, or the clone that the launcher named.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface GatewayAddress {
  readonly url: string;
  readonly token: string | undefined;
  /** For people: which file or variable said so. */
  readonly source: string;
}

export const defaultUrl = 'http://127.0.0.1:8480';

type Environment = Readonly<Record<string, string | undefined>>;

export function findGateway(environment: Environment, folder: string): GatewayAddress {
  const found = findClientFile(folder, environment['SKEIN_HOME']);
  const url = environment['SKEIN_URL'] ?? found?.url ?? defaultUrl;
  const token = environment['SKEIN_TOKEN'] ?? found?.token;
  const source = environment['SKEIN_URL'] === undefined ? (found?.path ?? 'default') : 'SKEIN_URL';
  return { url: url.replace(/\/+$/, ''), token, source };
}

interface ClientFile {
  readonly path: string;
  readonly url: string | undefined;
  readonly token: string | undefined;
}

function findClientFile(folder: string, home: string | undefined): ClientFile | undefined {
  const places: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    places.push(at);
    if (dirname(at) === at) break;
  }
  if (home !== undefined) places.push(home);
  for (const place of places) {
    const found = readClientFile(join(place, '.skein', 'client.json'));
    if (found !== undefined) return found;
  }
  return undefined;
}

function readClientFile(path: string): ClientFile | undefined {
  try {
    const { url, token } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    return {
      path,
      url: typeof url === 'string' ? url : undefined,
      token: typeof token === 'string' ? token : undefined,
    };
  } catch {
    return undefined;
  }
}
