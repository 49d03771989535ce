import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))
const docs = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')

/** The codes in the rows of a text's tables. */
function rowsOf(text: string): string[] {
  return [...text.matchAll(/^\| `([A-Z_0-9]+)`/gm)].map(([, code = '']) => code)
}

/** The codes that the command itself gives: to a CliError, in its last words, and to errors of others. */
function codesOfTheCommand(): Set<string> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const code = files.map((file) => readFileSync(`${source}/${file}`, 'utf8')).join('\n')
  const given = code.matchAll(/(?:CliError\(|\bsay\(|code \?\?)\s*'([A-Z_]+)'/g)
  return new Set([...given].map(([, name = '']) => name))
}

it('keeps docs/errors.md and the codes of the command in step, each code in one row', () => {
  const [ofEngine = '', ofCommand = ''] = docs.split(/^## (?:The `stowage` command|Warnings)$/m)
  const known = new Set(rowsOf(ofEngine))
  const own = [...codesOfTheCommand()].filter((code) => !known.has(code))
  expect(own.length).toBeGreaterThan(5)
  expect(rowsOf(ofCommand).sort()).toEqual(own.sort())
})

it('gives each CliError a code as a literal, so that the documents can be compared with it', () => {
  const calls = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(`${source}/${file}`, 'utf8').matchAll(/new CliError\(\s*([^,\s]+)/g)])
    .map(([, first = '']) => first)
  expect(calls.filter((first) => !/^'[A-Z_]+'$/.test(first))).toEqual([])
})
