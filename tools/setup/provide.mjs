// Sees to it that a program is there that only some commands need, and prints its path: node tools/setup/provide.mjs etcd
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, setupFolder } from './process.mjs';
import { found, provide } from './programs.mjs';

const [name] = process.argv.slice(2);
const temporary = join(setupFolder, `provide-${process.pid}`);
try {
  mkdirSync(temporary, { recursive: true });
  await provide(name, temporary);
  process.stdout.write(`${found(name)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
