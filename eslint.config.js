import js from '@eslint/js'
import importX from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/** What no package may reach into: another package's files. Its public entry is the only door. */
const deepImports = {
  group: ['@stowage/*/*', '!@stowage/*/testing', '**/packages/**', '../../../*/src/**', '../../*/src/**'],
  message: "Import a package's public entry, never its files.",
}

/** The layers, lowest first: a package may import the ones named, and no other. */
const layers = {
  'backup-core': [],
  'backup-posix': ['backup-core'],
  'backup-swift': ['backup-core'],
  'compression-workers': ['backup-core'],
  'compression-zlib': ['backup-core', 'compression-workers'],
  'compression-bzip2-streams': ['backup-core', 'compression-workers'],
  'compression-bz2': ['backup-core', 'compression-bzip2-streams'],
  'compression-zstd': ['backup-core', 'compression-workers'],
  'compression-compressjs': ['backup-core', 'compression-bzip2-streams'],
  'backup-testkit': ['backup-core'],
}

const layerRule = ([name, allowed]) => ({
  files: [`packages/${name}/src/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          deepImports,
          {
            regex: `^@stowage/(?!(${allowed.join('|') || '-'})$)`,
            message: `${name} may import ${allowed.join(', ') || 'no other package'}.`,
          },
        ],
      },
    ],
  },
})

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'coverage/**', '.nx/**', '**/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'no-restricted-imports': ['error', { patterns: [deepImports] }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['**/*.config.ts', 'tsup.base.ts', 'vitest.config.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    files: ['**/test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  ...Object.entries(layers).map(layerRule),
)
