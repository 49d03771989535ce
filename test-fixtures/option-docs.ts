import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

/** Returns the rows of the table below a heading of a document, cell by cell. */
export function tableUnder(text: string, heading: string): string[][] {
  const start = text.indexOf(`\n## ${heading}\n`)
  assert.notEqual(start, -1, `there is a heading ${heading}`)
  const section = text.slice(start + 4).split('\n## ', 1)[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** The tables of options that several drivers have. */
const sharedTables = ['cinder-conf/src/flags.ts', 'http/src/network-options.ts']

/** Reads the comment of each option in the tables of a driver's code, and in the shared ones. */
export async function optionMeanings(table: URL): Promise<(option: string) => string> {
  const shared = sharedTables.map((path) => new URL(`../packages/${path}`, import.meta.url))
  const sources = await Promise.all([...shared, table].map((url) => readFile(url, 'utf8')))
  const comments = new Map(
    [...sources.join('\n').matchAll(/^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n {2}(\w+): /gms)].map(
      ([, text = '', name = '']) => [name, text.replaceAll(/\s+\*? ?/g, ' ').trim()],
    ),
  )
  return (option) => {
    const comment = comments.get(option)
    assert.ok(comment, `${option} has a comment`)
    return comment
  }
}

/** Returns a default as a table shows it. */
export function shownDefault(value: string | number | boolean | undefined): string {
  return value === undefined ? '–' : `\`${String(value)}\``
}
