import { describe, expect, it } from '@jest/globals';
import { cycles, projectEdges, readImports, readProjects, violations } from './import-graph';

const repository = new URL('../..', import.meta.url).pathname;
const projects = readProjects(repository);

describe('the real import graph', () => {
  it.each(projects.map((project) => [project.root, project] as const))(
    '%s keeps the direction',
    (_, project) => {
      expect(violations(project, readImports(repository, project), projects)).toEqual([]);
    },
  );

  it('has no cycle between projects', () => {
    expect(cycles(projectEdges(repository, projects))).toEqual([]);
  });

  it('holds every library and app', () => {
    expect(projects.length).toBeGreaterThan(20);
    expect(projects.flatMap((project) => readImports(repository, project)).length).toBeGreaterThan(
      100,
    );
  });
});

describe('a planted violation', () => {
  const raft = { root: 'libs/raft', tag: 'core' } as const;
  const plant = (specifier: string) =>
    violations(raft, [{ file: 'libs/raft/src/planted.ts', specifier }], projects);

  it.each([
    ['an adapter', '@skein/messaging', 'core libs/raft imports adapter libs/messaging'],
    ['an app by path', '../../../apps/ipam/src/main', 'core libs/raft imports app apps/ipam'],
    ['a node builtin', 'node:fs', 'a pure core imports node:fs'],
    ['the inside of a library', '@skein/ip/src/cidr', 'deep import'],
    ['what does not exist', '@skein/helpers', 'is no project'],
  ])('is found: a core that imports %s', (_, specifier, words) => {
    expect(plant(specifier).join()).toContain(words);
  });

  it('is found: a cycle', () => {
    const edges = new Map([
      ['libs/a', new Set(['libs/b'])],
      ['libs/b', new Set(['libs/a'])],
    ]);
    expect(cycles(edges)).toEqual(['libs/a → libs/b → libs/a']);
  });
});
