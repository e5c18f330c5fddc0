// Makes a folder that runs by itself, of a clone that is set up: `node tools/release.mjs OUT`. It holds the bundles and, of the
// packages that stay packages, the files that they load; nothing that builds or tests. The image and a host's installation
// are made of it.
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { root } from './setup/process.mjs';

const [target] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node tools/release.mjs FOLDER');
  process.exit(2);
}
const out = resolve(target);
if (existsSync(out)) {
  console.error(`error: ${out} is there already`);
  process.exit(2);
}

/** Packages outside of the bundles (tools/build.mjs) with what they ask for, and what of each is needed at run time. */
const packages = {
  'better-sqlite3': /^(lib|build\/Release\/better_sqlite3\.node)/,
  bindings: /./,
  'file-uri-to-path': /^index\.js/,
  'reflect-metadata': /^Reflect[^/]*\.js$/,
  '@prisma/adapter-better-sqlite3': /^dist\/.*\.m?js$/,
  '@prisma/client': /^runtime\/(client\.m?js|query_compiler_small_bg\.sqlite\..*m?js)$/,
  '@prisma/client-runtime-utils': /^dist\/.*\.m?js$/,
  '@prisma/driver-adapter-utils': /^dist\/.*\.m?js$/,
  '@prisma/debug': /^dist\/.*\.m?js$/,
};

const copy = (place, wanted = () => true) => {
  mkdirSync(dirname(join(out, place)), { recursive: true });
  cpSync(join(root, place), join(out, place), {
    recursive: true,
    dereference: true,
    filter: (from) => wanted(from.slice(join(root, place).length + 1)),
  });
};

copy('dist', (file) => !file.endsWith('.map'));
copy('docs/errors.md');
copy('deploy/systemd');
copy('prisma/migrations');
copy('LICENSE');
for (const [name, files] of Object.entries(packages)) {
  copy(join('node_modules', name, 'package.json'));
  // A folder on the way to a wanted file passes by its beginning.
  copy(
    join('node_modules', name),
    (file) => file === '' || files.test(file) || leadsTo(files, file),
  );
}
writeFileSync(
  join(out, 'package.json'),
  '{ "name": "skein", "private": true, "type": "module" }\n',
);
writeFileSync(
  join(out, 'skein'),
  '#!/bin/sh\n' +
    'home=$(dirname "$(readlink -f "$0")")\n' +
    'SKEIN_HOME=$home exec node --no-warnings "$home/dist/cli.js" "$@"\n',
);
chmodSync(join(out, 'skein'), 0o755);

function leadsTo(files, folder) {
  return (
    ['lib', 'build', 'build/Release', 'dist', 'runtime'].includes(folder) && !files.test(folder)
  );
}
