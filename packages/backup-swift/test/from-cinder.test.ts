import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'vitest'
import * as backupSwift from '../src/index.js'
import { cinderFlags, sourceOptions, swiftOptions } from '../src/config/options.js'
import { SwiftBackupDriver, SwiftObjectReader, SwiftObjectWriter } from '../src/index.js'

const page = await readFile(new URL('../../../docs/from-cinder.md', import.meta.url), 'utf8')
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

/** The rows of the table below a heading, cell by cell. */
function tableUnder(text: string, heading: string): string[][] {
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

const source = await readFile(new URL('../src/config/options.ts', import.meta.url), 'utf8')

/** The comment of each option in the tables of the code. */
const comments = new Map(
  [...source.matchAll(/^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n {2}(\w+): /gms)].map(([, text = '', name = '']) => [
    name,
    text.replaceAll(/\s+\*? ?/g, ' ').trim(),
  ]),
)

function meaningOf(option: string): string {
  const comment = comments.get(option)
  assert.ok(comment, `${option} has a comment`)
  return comment
}

/** A default in a table. */
function shown(value: string | number | boolean | undefined): string {
  return value === undefined ? '–' : `\`${String(value)}\``
}

function camelCase(snake: string): string {
  return snake.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}

describe('docs/from-cinder.md', () => {
  it('has a row for every flag, with its option, default, unit and meaning, in the order of the code', () => {
    const expected = cinderFlags.map(([option, { flag, default: value, unit = '' }]) => [
      `\`${flag}\``,
      `\`${option}\``,
      shown(value),
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
        shown(value),
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
        shown(value),
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
