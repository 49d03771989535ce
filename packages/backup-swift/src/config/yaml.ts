import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** The CommonJS build has no `import.meta.url`, and the ES module no `__filename`. */
const here = typeof __filename === 'string' ? pathToFileURL(__filename) : import.meta.url

/** The package `yaml`, loaded with the first clouds.yaml: that takes as long as all of this package. */
export function yaml(): typeof import('yaml') {
  return createRequire(here)('yaml') as typeof import('yaml')
}
