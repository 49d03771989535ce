import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

const docs = await readFile(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')

/** The codes of the union in a source file. */
async function codesIn(path: string): Promise<string[]> {
  const source = await readFile(new URL(`../../src/${path}`, import.meta.url), 'utf8')
  return [...source.matchAll(/^ +\| '([A-Z_0-9]+)'/gm)].map(([, code = '']) => code).sort()
}

/** The codes in the rows of the tables of a text. */
function rowsOf(text: string): string[] {
  return [...text.matchAll(/^\| `([A-Z_0-9]+)`/gm)].map(([, code = '']) => code).sort()
}

it('keeps docs/errors.md and the codes in step, each code in one row', async () => {
  const codes = await codesIn('errors/backup-error.ts')
  // The codes of the command are in another section.
  const [ofEngine = ''] = docs.split('## The `stowage` command')
  expect(codes.length).toBeGreaterThan(30)
  expect(rowsOf(ofEngine)).toEqual(codes)
})

it('keeps docs/errors.md and the codes of warnings in step, each code in one row', async () => {
  const codes = await codesIn('contracts/progress.ts')
  const [, warnings = ''] = docs.split('## Warnings')
  expect(codes.length).toBeGreaterThan(15)
  expect(rowsOf(warnings)).toEqual(codes)
})
