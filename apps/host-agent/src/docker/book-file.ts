// The file in which the door's book outlives the agent: written as a whole beside, then moved into place.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Book } from '@skein/docker-plugin';
import type { Logger } from '@skein/messaging';

export class BookFile {
  readonly #path: string;
  #written = '';

  constructor(stateDir: string) {
    this.#path = join(stateDir, 'docker-door.json');
  }

  /** An unreadable book is set aside: what it held is found again in the engine's and the registry's lists. */
  read(logger: Logger): Book {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return new Book();
    }
    try {
      return Book.parse(text);
    } catch (thrown) {
      const aside = `${this.#path}.damaged`;
      renameSync(this.#path, aside);
      logger.error({ fault: String(thrown), aside }, 'the book of the Docker door is damaged');
      return new Book();
    }
  }

  /** Throws if it can't be written: then the engine must not be told that all is well. */
  write(book: Book): void {
    const text = book.toText();
    if (text === this.#written) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const fresh = `${this.#path}.new`;
    writeFileSync(fresh, text, { mode: 0o600 });
    renameSync(fresh, this.#path);
    this.#written = text;
  }
}
