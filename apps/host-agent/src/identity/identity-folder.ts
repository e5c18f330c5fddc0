// What a host keeps of its identity: its own key, made here and never sent anywhere, the last credential that it was given, and
// where an operator puts a join token. Files that only the agent's user can read. Decides nothing.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHostKey, publicKeyOf } from '@skein/authority';

export class IdentityFolder {
  readonly seed: Uint8Array;
  readonly publicKey: string;

  private constructor(
    private readonly folder: string,
    seed: Uint8Array,
  ) {
    this.seed = seed;
    this.publicKey = publicKeyOf(seed);
  }

  /** Makes folder and key if they are not there. */
  static open(folder: string): IdentityFolder {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const keyPath = join(folder, 'host.nk');
    if (!existsSync(keyPath)) writeFile(keyPath, new TextDecoder().decode(createHostKey().seed));
    return new IdentityFolder(
      folder,
      new TextEncoder().encode(readFileSync(keyPath, 'utf8').trim()),
    );
  }

  get credential(): string | undefined {
    return readIfThere(join(this.folder, 'host.jwt'));
  }

  keepCredential(jwt: string): void {
    writeFile(join(this.folder, 'host.jwt'), jwt);
  }

  /** The token that an operator has put here, read anew each time. */
  get joinToken(): string | undefined {
    return readIfThere(join(this.folder, 'join-token'));
  }
}

function readIfThere(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8').trim();
  return text === '' ? undefined : text;
}

/** Whole or not at all. */
function writeFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
