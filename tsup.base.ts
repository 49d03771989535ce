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
  esbuildOptions(options, { format }) {
    // Never read there: the CommonJS build asks for __filename first.
    if (format === 'cjs') options.define = { ...options.define, 'import.meta.url': 'undefined' }
  },
}

/** A compressor: the shared package is private, and bundled. Its types must not occur in public ones. */
export const compressor: Options = { ...base, noExternal: ['@stowage/compression-shared'] }

/** A compressor that runs in worker threads. */
export const compressorWithWorker = (workerFile: string): Options[] => withWorker(workerFile, compressor)

/** A package with worker threads: the worker and all that it imports become `dist/worker.mjs`. */
export const withWorker = (workerFile: string, options: Options = base): Options[] => [
  {
    ...options,
    // Both builds write to one folder, at the same time: the package's script empties it before.
    clean: false,
  },
  {
    ...base,
    entry: { worker: workerFile },
    format: ['esm'],
    dts: false,
    clean: false,
    outExtension: () => ({ js: '.mjs' }),
  },
]
