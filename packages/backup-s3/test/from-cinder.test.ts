import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'vitest'
import { optionMeanings, shownDefault, tableUnder } from '../../../test-fixtures/option-docs.js'
import { cinderFlags } from '../src/config/options.js'
import { S3BackupDriver, S3ObjectReader, S3ObjectWriter } from '../src/index.js'

const page = await readFile(new URL('../../../docs/from-cinder.md', import.meta.url), 'utf8')
const meaningOf = await optionMeanings(new URL('../src/config/options.ts', import.meta.url))

function camelCase(snake: string): string {
  return snake.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}

describe('docs/from-cinder.md', () => {
  it('has a row for every flag of the S3 driver, with its option, default, unit and meaning, in the order of the code', () => {
    const expected = cinderFlags.map(([option, { flag, default: value, unit = '' }]) => [
      `\`${flag}\``,
      `\`${option}\``,
      shownDefault(value),
      unit,
      meaningOf(option),
    ])
    assert.deepEqual(tableUnder(page, 'Flags of the S3 driver'), expected)
  })

  it('names methods of Swift’s driver that the S3 driver has too', () => {
    const classes: Readonly<Record<string, { readonly prototype: object }>> = {
      SwiftBackupDriver: S3BackupDriver,
      SwiftObjectReader: S3ObjectReader,
      SwiftObjectWriter: S3ObjectWriter,
    }
    const methods = tableUnder(page, 'Classes and methods').flatMap(([, here = '']) => {
      const [, type = '', method] = /^`(\w+)\.(\w+)/.exec(here) ?? []
      return method === undefined ? [] : [[type, method] as const]
    })
    assert.ok(methods.length > 10)
    for (const [type, method] of methods) assert.ok(method in (classes[type]?.prototype ?? {}), method)
  })

  it('names every option after its flag, in camel case', () => {
    for (const [option, { flag }] of cinderFlags) assert.equal(option, camelCase(flag))
  })
})
