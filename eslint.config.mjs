import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// A pure core takes time, chance and the outside world from its input, never by itself.
const cores = [
  'ip',
  'raft',
  'store',
  'replica',
  'swim',
  'ipam',
  'vxlan',
  'names',
  'share',
  'actor',
];

// A domain may await, but on a clock and chance that it is given.
const domains = ['registry', 'agent', 'docker-plugin'];

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', '**/generated/**', '.nx/**', '.skein/**'],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            { sourceTag: 'type:core', onlyDependOnLibsWithTags: ['type:core'] },
            {
              sourceTag: 'type:contract',
              onlyDependOnLibsWithTags: ['type:core', 'type:contract'],
            },
            {
              sourceTag: 'type:adapter',
              onlyDependOnLibsWithTags: ['type:core', 'type:contract', 'type:adapter'],
            },
            {
              sourceTag: 'type:platform',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:contract',
                'type:adapter',
                'type:platform',
              ],
            },
            {
              sourceTag: 'type:domain',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:contract',
                'type:adapter',
                'type:domain',
              ],
            },
            {
              sourceTag: 'type:simulation',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:contract',
                'type:adapter',
                'type:domain',
              ],
            },
            {
              // Runs a whole cluster and judges it.
              sourceTag: 'type:proof',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:contract',
                'type:adapter',
                'type:domain',
                'type:platform',
                'type:simulation',
              ],
            },
            {
              // Runs in a browser: no adapter of a server's, and nothing of the machine.
              sourceTag: 'type:page',
              onlyDependOnLibsWithTags: ['type:core', 'type:contract'],
            },
            {
              sourceTag: 'type:app',
              onlyDependOnLibsWithTags: [
                'type:core',
                'type:contract',
                'type:adapter',
                'type:domain',
                'type:platform',
                'type:simulation',
                'type:proof',
              ],
            },
          ],
        },
      ],
    },
  },
  {
    // Tests may borrow the records and played worlds of other projects.
    files: ['**/*.test.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off' },
  },
  {
    files: [`libs/{${[...cores, ...domains].join(',')}}/src/**/*.ts`],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'queueMicrotask',
        'performance',
        'fetch',
        'Date',
        'crypto',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Take randomness from the input.' },
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['node:*', 'fs', 'net', 'dgram', 'crypto'],
              message: 'A pure core or a domain imports none of the machine.',
            },
          ],
        },
      ],
    },
  },
);
