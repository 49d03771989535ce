import { configDefaults, defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** What takes minutes: `npm run test:slow`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['packages/*/test/**/*.slow.test.ts', 'test-fixtures/test/**/*.slow.test.ts'],
    exclude: configDefaults.exclude,
  },
})
