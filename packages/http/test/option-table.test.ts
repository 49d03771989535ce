import { checkOptions, isBackupError, optionRules } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { choice, option, positive, rulesOf, withDefaults } from '../src/index.js'

const table = {
  name: option<string>(optionRules.nonEmptyText),
  seconds: positive(5),
  colour: choice(['red', 'green'], 'red'),
}

/** The message of the rejection of options; undefined if they are accepted. */
function problemOf(options: object): string | undefined {
  try {
    checkOptions('the options of a test', options, rulesOf(table))
    return undefined
  } catch (error) {
    if (!isBackupError(error, 'OPTION_INVALID')) throw error
    return error.message
  }
}

describe('a table of options', () => {
  it('fills in the defaults of what is unset or undefined, and of nothing else', () => {
    expect(withDefaults(table, {})).toEqual({ name: undefined, seconds: 5, colour: 'red' })
    const given = { name: 'a', seconds: 0.5, colour: 'green' } as const
    expect(withDefaults(table, given)).toEqual(given)
    const undefinedOnes = { name: 'a', seconds: undefined } as unknown as { name: string }
    expect(withDefaults(table, undefinedOnes)).toEqual({ name: 'a', seconds: 5, colour: 'red' })
  })

  it('has no option that is not in it', () => {
    const other = { name: 'a', other: 1 } as { name: string }
    expect(Object.keys(withDefaults(table, other))).toEqual(['name', 'seconds', 'colour'])
  })

  it('has a rule for each option, and passes no default on to it', () => {
    expect(Object.keys(rulesOf(table))).toEqual(['name', 'seconds', 'colour'])
    expect(problemOf({})).toBeUndefined()
    expect(problemOf({ name: 'a', seconds: 1e-3, colour: 'green' })).toBeUndefined()
  })

  it.each([
    [{ name: '' }, '`name`'],
    [{ seconds: 0 }, 'a number above 0'],
    [{ seconds: -1 }, 'a number above 0'],
    [{ seconds: NaN }, 'a number above 0'],
    [{ seconds: Infinity }, 'a number above 0'],
    [{ seconds: '5' }, 'a number above 0'],
    [{ colour: 'blue' }, "'red' or 'green'"],
    [{ color: 'red' }, 'Did you mean `colour`'],
  ])('rejects %j', (options, message) => {
    expect(problemOf(options)).toContain(message)
  })
})
