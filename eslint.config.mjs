// Rules that a reviewer should not have to repeat. The restricted ones guard rule 1 of docs/architecture.md: a write that
// bypasses packages/events loses events without a word.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Writes that replace or remove a document together with the events that still wait in its outbox. */
const writesThatLoseEvents = [
  {
    selector: 'CallExpression[callee.property.name=/^(replaceOne|findOneAndReplace|overwrite|bulkSave)$/]',
    message:
      'Replaces the whole document, and with it the events in its outbox: record the write with @causeway/events.',
  },
  {
    selector:
      "Property[key.name='expireAfterSeconds'], Property[key.value='expireAfterSeconds'], Property[key.name='expires']",
    message:
      'A TTL index deletes documents together with their unpublished events: record a delete with @causeway/events.',
  },
  {
    selector:
      "Property[key.name='$merge'], Property[key.value='$merge'], Property[key.name='$out'], Property[key.value='$out']",
    message: '$merge and $out overwrite documents together with their outbox: record the write with @causeway/events.',
  },
  {
    selector: "Property[key.name='outbox'], Property[key.value=/^outbox(\\.|$)/]",
    message: 'Only @causeway/events reads or writes an outbox.',
  },
  {
    selector: 'CallExpression[callee.property.name=/^(drop|dropCollection|dropDatabase)$/]',
    message: 'A bare drop loses unpublished events: refuse writes, delete by @causeway/events, drain, then drop.',
  },
];

/** What Node has beside the language, for the scripts that run before anything is installed. */
const nodeGlobals = Object.fromEntries(
  ['process', 'console', 'URL', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'].map((name) => [
    name,
    'readonly',
  ]),
);

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '**/.test/', '.nx/', '.causeway/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'no-restricted-syntax': ['error', ...writesThatLoseEvents],
      'no-console': 'error',
    },
  },
  {
    // The recorder itself, and the tests that break the rules on purpose.
    files: ['packages/events/**/*.ts', '**/*.spec.ts', '**/testing/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.spec.ts', '**/testing/**/*.ts', 'e2e/**/*.ts'],
    rules: {
      // node:test's describe and it return promises that the runner awaits by itself.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['describe', 'it', 'test', 'before', 'after', 'suite'], package: 'node:test' },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // Records leave the data service by one door, which knows the rules of fields (docs/adr/0028-hidden-means-missing.md).
    files: ['services/data/src/**/*.ts'],
    ignores: [
      'services/data/src/{conditions,collections}/**',
      'services/data/src/queries/find-records.ts',
      'services/data/src/records/cached-record.ts',
      'services/data/src/references/lookup.ts',
      'services/data/src/rules/follow/follow-records.ts',
      'services/data/src/upsert/upsert-record.ts',
      '**/*.spec.ts',
      '**/testing/**',
    ],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/compile-filter.ts'],
              message: 'Find records by findVisible or visibleFilter: they know what the caller sees.',
            },
            {
              group: ['**/see.ts'],
              importNames: ['showWhole'],
              message: 'Show a record by a Sight: only what is cached is kept whole.',
            },
          ],
        },
      ],
    },
  },
  { files: ['packages/stack/**/*.ts', 'e2e/**/*.ts', 'examples/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: nodeGlobals },
    rules: { 'no-console': 'off' },
  },
);
