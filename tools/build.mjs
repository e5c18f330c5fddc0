// Bundles each app, and each worker thread, into dist/. Packages of node_modules stay outside.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const entryPoints = {};
for (const app of readdirSync(`${root}apps`)) {
  const main = `${root}apps/${app}/src/main.ts`;
  if (existsSync(main)) entryPoints[app] = main;
}
// Programs that are no app of their own: a worker thread, and the first process of a local cluster's private world.
const programs = {
  'raft-log-worker': 'libs/raft-sqlite/src/log-worker.ts',
  'local-supervisor': 'libs/local-cluster/src/supervisor-main.ts',
};
for (const [name, path] of Object.entries(programs)) {
  if (existsSync(root + path)) entryPoints[name] = root + path;
}

// Built beside and moved in place, so that a running cluster never sees half a build.
const fresh = `${root}dist.${process.pid}`;
await build({
  absWorkingDir: root,
  entryPoints,
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  chunkNames: 'chunks/[name]-[hash]',
  tsconfig: 'tsconfig.json',
  logLevel: 'warning',
});

rmSync(`${root}dist`, { recursive: true, force: true });
renameSync(fresh, `${root}dist`);
