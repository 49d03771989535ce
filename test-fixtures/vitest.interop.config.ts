import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Tests against Cinder's own drivers and a real Swift: `npm run test:openstack`. They need Debian's packages. */
export default defineConfig({
  root,
  resolve: {
    alias: [{ find: /^@stowage\/([a-z0-9-]+)$/, replacement: `${root}packages/$1/src/index.ts` }],
  },
  test: {
    include: ['test-fixtures/interop/**/*.test.ts', 'packages/*/test/**/*.{openstack,root}.test.ts'],
    // Keystone's uWSGI drops a connection now and then, and Swift's middleware then calls a good token bad.
    retry: 2,
    testTimeout: 120_000,
    // Cinder takes seconds to load, and more on a machine that is busy.
    hookTimeout: 120_000,
  },
})
