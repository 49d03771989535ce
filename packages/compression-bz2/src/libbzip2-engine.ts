import { pathToFileURL } from 'node:url'
import type { Bzip2Engine } from '@stowage/compression-bzip2-streams'

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

export const libbzip2Engine: Bzip2Engine = {
  name: 'libbzip2',
  // From `src` and from `dist` alike, the worker lies in the folder beside.
  workerFile: new URL('../worker/bz2-worker.mjs', here),
  // A hundredth more and 600 bytes: libbzip2's manual, 3.5.1.
  mostCompressedBytes: (lengthBytes) => Math.ceil(lengthBytes * 1.01) + 600,
  opensBlocks: true,
}
