import js from '@eslint/js';
import { readFileSync } from 'node:fs';
import tseslint from 'typescript-eslint';

// node:crypto and node:util compute only.
const outside = [
  '@actions/*',
  '@kubernetes/client-node',
  '@octokit/*',
  'undici',
  'node:*',
  '!node:crypto',
  '!node:util',
];

// The words of this project's texts; .textlintrc.cjs holds the pages to the same list.
const words = JSON.parse(readFileSync(new URL('scripts/words.json', import.meta.url), 'utf8')).flatMap(
  ({ not, say }) => {
    const pattern = not.startsWith('(?<') ? `/${not}\\b/i` : `/\\b${not}\\b/i`;
    return [`Literal[value=${pattern}]`, `TemplateElement[value.raw=${pattern}]`].map((selector) => ({
      selector,
      message: `Say instead: ${say}.`,
    }));
  },
);

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'bench/*',
      '!bench/downtime/',
      '!bench/precheck/',
      '!bench/rehearsal/',
      '!bench/scale/',
      'eslint.config.js',
      '.dependency-cruiser.mjs',
      '.textlintrc.cjs',
      'scripts/screenshots/render.mjs',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 300, skipComments: true }],
      // tsc asks for process.env['NAME'] (noPropertyAccessFromIndexSignature).
      '@typescript-eslint/dot-notation': 'off',
      // The Kubernetes library declares its JSON objects as classes; nothing here is ever constructed.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    // Side effects live in src/adapters only; everything else gets them as parameters.
    files: ['src/**/*.ts'],
    ignores: ['src/adapters/**', 'src/index.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ group: outside, allowTypeImports: true, message: 'Only src/adapters talks to the outside.' }] },
      ],
      'no-restricted-globals': ['error', 'fetch', 'setTimeout', 'setInterval'],
    },
  },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...words] } },
);
