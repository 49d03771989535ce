import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

/** Put in at build time: reading package.json at every start would cost more than it tells. */
const define = { __STOWAGE_VERSION__: JSON.stringify(version) }

export default defineConfig([
  // Split, so that `stowage list` loads no byte of what only `stowage backup` needs.
  {
    ...base,
    entry: ['src/index.ts', 'src/bin.ts'],
    dts: { entry: 'src/index.ts' },
    format: ['esm'],
    splitting: true,
    clean: false,
    define,
  },
  { ...base, format: ['cjs'], clean: false, define },
])
