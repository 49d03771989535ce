import { pathToFileURL } from 'node:url'
import type { Bzip2Engine } from '@stowage/compression-bzip2-streams'

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

/** For each of two streams at most: six tables of 258 lengths, and which of them 18,000 groups of symbols use. */
const mostTablesBytes = 24 * 1024

export const compressjsEngine: Bzip2Engine = {
  name: 'compressjs',
  // From `src` and from `dist` alike, the worker lies in the folder beside.
  workerFile: new URL('../worker/compressjs-worker.mjs', here),
  // A run of four becomes five symbols, and a symbol takes 9 bits in the worst of codes: 5/4 of 9/8.
  mostCompressedBytes: (lengthBytes) => Math.ceil(lengthBytes * (5 / 4) * (9 / 8)) + 2 * mostTablesBytes,
  // Its reader takes a stream that lacks its end for a whole one, expands every run at once, and is two to five times as
  // slow as what opens blocks without it.
  opensBlocks: false,
}
