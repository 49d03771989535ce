import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

it('keeps docs/errors.md and the codes in step, each code in one row', async () => {
  const source = await readFile(new URL('../../src/errors/backup-error.ts', import.meta.url), 'utf8')
  const docs = await readFile(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  const codes = [...source.matchAll(/\| '([A-Z_0-9]+)'/g)].map((match) => match[1])
  // The codes of the command alone are in a section of their own.
  const [ofEngine = ''] = docs.split('## The `stowage` command')
  const rows = [...ofEngine.matchAll(/^\| `([A-Z_0-9]+)`/gm)].map((match) => match[1])
  expect(codes.length).toBeGreaterThan(30)
  expect(rows.sort()).toEqual(codes.sort())
})
