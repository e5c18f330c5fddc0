// The real import graph of the repository, read from its sources with TypeScript's own scanner, and the rule that each
// kind of project depends only on kinds below it.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

export type Tag =
  'core' | 'contract' | 'adapter' | 'domain' | 'platform' | 'simulation' | 'proof' | 'page' | 'app';

/** What each kind may import, besides itself being what it is. */
const allowed: Readonly<Record<Tag, readonly Tag[]>> = {
  core: ['core'],
  contract: ['core', 'contract'],
  adapter: ['core', 'contract', 'adapter'],
  domain: ['core', 'contract', 'adapter', 'domain'],
  platform: ['core', 'contract', 'adapter', 'platform'],
  simulation: ['core', 'contract', 'adapter', 'domain', 'simulation'],
  proof: ['core', 'contract', 'adapter', 'domain', 'platform', 'simulation'],
  page: ['core', 'contract'],
  app: ['core', 'contract', 'adapter', 'domain', 'platform', 'simulation', 'proof'],
};

export interface Project {
  /** `libs/raft`, `apps/ipam`. */
  readonly root: string;
  readonly tag: Tag;
}

export interface Import {
  readonly file: string;
  readonly specifier: string;
}

export function readProjects(repository: string): Project[] {
  return ['libs', 'apps'].flatMap((folder) =>
    readdirSync(join(repository, folder)).map((name) => {
      const path = join(repository, folder, name, 'project.json');
      const { tags } = JSON.parse(readFileSync(path, 'utf8')) as { tags: string[] };
      const tag = tags.find((one) => one.startsWith('type:'))?.slice(5) as Tag;
      if (!(tag in allowed)) throw new Error(`${path} has no type: tag`);
      return { root: `${folder}/${name}`, tag };
    }),
  );
}

export function readImports(repository: string, project: Project): Import[] {
  return sourceFiles(join(repository, project.root, 'src')).flatMap((path) => {
    const { importedFiles } = ts.preProcessFile(readFileSync(path, 'utf8'), true, true);
    const file = relative(repository, path);
    return importedFiles.map(({ fileName }) => ({ file, specifier: fileName }));
  });
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'generated' ? [] : sourceFiles(path);
    return /\.tsx?$/.test(name) && !name.endsWith('.test.ts') ? [path] : [];
  });
}

/** Root of the project that a specifier reaches into; null for packages and for files of the same project. */
function targetOf({ file, specifier }: Import, projects: readonly Project[]): string | null {
  if (specifier.startsWith('@skein/')) return `libs/${specifier.split('/')[1]}`;
  if (!specifier.startsWith('.')) return null;
  const path = join(file, '..', specifier);
  const target = projects.find(({ root }) => path.startsWith(`${root}/`))?.root ?? path;
  return file.startsWith(`${target}/`) ? null : target;
}

/** One line an import that breaks the direction, a deep import, or a node builtin in a pure core. */
export function violations(
  project: Project,
  imports: readonly Import[],
  projects: readonly Project[],
): string[] {
  return imports.flatMap((one) => {
    const { file, specifier } = one;
    if (['core', 'page'].includes(project.tag) && specifier.startsWith('node:'))
      return [`${file}: a ${project.tag === 'core' ? 'pure core' : 'page'} imports ${specifier}`];
    if (/^@skein\/[^/]+\//.test(specifier)) return [`${file}: deep import ${specifier}`];
    const target = targetOf(one, projects);
    if (target === null || target === project.root) return [];
    const found = projects.find(({ root }) => root === target);
    if (found === undefined) return [`${file}: ${specifier} is no project`];
    return allowed[project.tag].includes(found.tag)
      ? []
      : [`${file}: ${project.tag} ${project.root} imports ${found.tag} ${found.root}`];
  });
}

/** Project cycles, each as a path of roots. */
export function cycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (root: string, path: string[]): void => {
    if (path.includes(root)) {
      found.push([...path.slice(path.indexOf(root)), root].join(' → '));
      return;
    }
    if (done.has(root)) return;
    for (const next of edges.get(root) ?? []) visit(next, [...path, root]);
    done.add(root);
  };
  for (const root of edges.keys()) visit(root, []);
  return found;
}

export function projectEdges(
  repository: string,
  projects: readonly Project[],
): Map<string, Set<string>> {
  return new Map(
    projects.map((project) => {
      const targets = readImports(repository, project).map((one) => targetOf(one, projects));
      return [
        project.root,
        new Set(targets.filter((root): root is string => root !== null && root !== project.root)),
      ];
    }),
  );
}
