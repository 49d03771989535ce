import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const program = (load: string, close: string): string => `
  ${load}
  const run = async () => {
    const compressor = zstd()
    const bytes = Buffer.alloc(3_000_000, 'a program that ends by itself ')
    const opened = await compressor.decompress(await compressor.compress(bytes), bytes.length)
    if (!bytes.equals(opened)) throw new Error('other bytes')
    ${close}
    console.log('done')
  }
  run()`

const run = async (type: string, code: string): Promise<string> => {
  if (!existsSync(dist)) {
    throw new Error(
      `${dist} is missing. Run: npx lerna run build --scope @stowage/compression-zstd --include-dependencies`,
    )
  }
  // A program that does not end is ended by the timeout, which is a rejection.
  const { stdout } = await promisify(execFile)(process.execPath, [`--input-type=${type}`, '-e', code], {
    timeout: 20_000,
    cwd: dist,
  })
  return stdout
}

describe('a program that uses the built package', () => {
  const url = JSON.stringify(new URL('../dist/index.js', import.meta.url).href)
  const path = JSON.stringify(fileURLToPath(new URL('../dist/index.cjs', import.meta.url)))
  for (const [type, load] of [
    ['module', `import { zstd } from ${url}`],
    ['commonjs', `const { zstd } = require(${path})`],
  ] as const) {
    it(`ends by itself, as ${type}, with and without close()`, async () => {
      expect(await run(type, program(load, ''))).toBe('done\n')
      expect(await run(type, program(load, 'await compressor.close()'))).toBe('done\n')
    })
  }
})
