// Two rings: `fast` (tables, scenarios, simulation) beside the code, `system` (processes, kernel) in test/.
const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: { '^@skein/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts' },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.skein', '<rootDir>/.nx'],
};

export default {
  projects: [
    {
      ...base,
      displayName: 'fast',
      testMatch: ['<rootDir>/{libs,apps}/**/*.test.ts', '<rootDir>/test/repository/**/*.test.ts'],
    },
    {
      ...base,
      displayName: 'system',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/repository/'],
    },
  ],
};
