import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'

/** Tests run on the sources, so that a change in one package is seen by the next without a build. */
const source = (path: string): string => fileURLToPath(new URL(`packages/${path}/index.ts`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@stowage\/([a-z0-9-]+)$/, replacement: source('$1/src') },
      { find: /^@stowage\/([a-z0-9-]+)\/testing$/, replacement: source('$1/src/testing') },
    ],
  },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'test-fixtures/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
    ],
    // The first need the real Swift and Keystone (`npm run test:openstack`), the second minutes (`npm run test:slow`).
    exclude: [...configDefaults.exclude, '**/*.openstack.test.ts', '**/*.slow.test.ts'],
    // As many as there are cores, where vitest would keep one free: most tests wait for a process or a socket.
    maxWorkers: '100%',
    // A process for many files: loading the packages anew for each of them took a third of the time.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
