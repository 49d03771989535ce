import type { Options } from 'tsup'

/** What every package builds: ESM and CommonJS, with types for each. */
export const base: Options = {
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  dts: true,
  sourcemap: true,
  clean: true,
  target: 'node20.19',
  splitting: false,
}
