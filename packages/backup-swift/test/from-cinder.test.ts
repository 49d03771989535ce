import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'vitest'
import * as backupSwift from '../src/index.js'
import { cinderFlags, sourceOptions, swiftOptions } from '../src/config/options.js'
import { SwiftBackupDriver, SwiftObjectReader, SwiftObjectWriter } from '../src/index.js'
import { optionMeanings, shownDefault, tableUnder } from '../../../test-fixtures/option-docs.js'

const page = await readFile(new URL('../../../docs/from-cinder.md', import.meta.url), 'utf8')
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

const meaningOf = await optionMeanings(new URL('../src/config/options.ts', import.meta.url))

function camelCase(snake: string): string {
  return snake.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}

describe('docs/from-cinder.md', () => {
  it('has a row for every flag, with its option, default, unit and meaning, in the order of the code', () => {
    const expected = cinderFlags.map(([option, { flag, default: value, unit = '' }]) => [
      `\`${flag}\``,
      `\`${option}\``,
      shownDefault(value),
      unit,
      meaningOf(option),
    ])
    assert.deepEqual(tableUnder(page, 'Flags'), expected)
  })

  it('has a row for every class and method of Cinder’s page, whose name here is there in the code', () => {
    const classes = { SwiftBackupDriver, SwiftObjectReader, SwiftObjectWriter }
    const rows = tableUnder(page, 'Classes and methods')
    const cinders = rows.map(([name = '']) => name.replaceAll('`', '').replace(/\(.*$/, ''))
    assert.deepEqual(cinders, [
      'SwiftBackupDriver',
      'SwiftBackupDriver.check_for_setup_error',
      'SwiftBackupDriver.delete_object',
      'SwiftBackupDriver.get_container_entries',
      'SwiftBackupDriver.get_extra_metadata',
      'SwiftBackupDriver.get_object_reader',
      'SwiftBackupDriver.get_object_writer',
      'SwiftBackupDriver.put_container',
      'SwiftBackupDriver.update_container_name',
      'SwiftObjectReader',
      'SwiftObjectReader.read',
      'SwiftObjectWriter',
      'SwiftObjectWriter.close',
      'SwiftObjectWriter.write',
      'get_backup_driver',
    ])
    for (const [index, [, here = '']] of rows.entries()) {
      const cinder = cinders[index] ?? ''
      const [first = '', method] = cinder.split('.')
      const own = here.replaceAll('`', '').replace(/\(.*$/, '')
      if (first === 'get_backup_driver') {
        assert.equal(own, 'getBackupDriver')
        assert.equal(typeof backupSwift.getBackupDriver, 'function')
        continue
      }
      assert.equal(own, method === undefined ? first : `${first}.${camelCase(method)}`)
      const found = classes[first as keyof typeof classes]
      assert.ok(method === undefined || camelCase(method) in found.prototype, own)
    }
  })

  it('names every option after its flag, in camel case', () => {
    for (const [option, { flag }] of cinderFlags) assert.equal(option, camelCase(flag))
  })
})

describe('the README', () => {
  it('has every flag with its default, unit and meaning, in the order of the code', () => {
    assert.deepEqual(
      tableUnder(readme, "Cinder's options"),
      cinderFlags.map(([option, { default: value, unit = '' }]) => [
        `\`${option}\``,
        shownDefault(value),
        unit,
        meaningOf(option),
      ]),
    )
  })

  it('has every other option with its default and meaning, in the order of the code', () => {
    assert.deepEqual(
      tableUnder(readme, 'Options'),
      Object.entries({ ...sourceOptions, ...swiftOptions }).map(([option, { default: value }]) => [
        `\`${option}\``,
        shownDefault(value),
        meaningOf(option),
      ]),
    )
  })

  it('has the table of faults that the tests hold', async () => {
    const { faultTable } = await import('./fault-table.js')
    const words = (outcomes: readonly string[]): string =>
      outcomes.map((outcome) => (outcome === 'success' ? 'success' : `\`${outcome}\``)).join(' or ')
    assert.deepEqual(
      tableUnder(readme, 'Faults'),
      faultTable.map(({ name, once, always }) => [name, words(once), words(always)]),
    )
  })
})
