import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findConfig } from '../src/config/find-config.js'

// Only root can give a file away.
it.skipIf(process.getuid?.() !== 0)(
  'rejects the configuration of another user in the working directory, unless it is named',
  async () => {
    const startedIn = process.cwd()
    const folder = await mkdtemp(join(tmpdir(), 'stowage-config-'))
    const file = join(folder, 'stowage.config.mjs')
    try {
      process.chdir(folder)
      await writeFile(file, 'export default {}')
      expect(findConfig(undefined, {})).toMatch(/stowage\.config\.mjs$/)
      await chown(file, 12_345, 12_345)
      expect(() => findConfig(undefined, {})).toThrow('belongs to another user (uid 12345)')
      expect(findConfig('stowage.config.mjs', {})).toMatch(/stowage\.config\.mjs$/)
    } finally {
      process.chdir(startedIn)
      await rm(folder, { recursive: true, force: true })
    }
  },
)
