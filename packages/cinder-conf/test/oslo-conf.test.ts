import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { OsloConf } from '../src/oslo-conf.js'

/** What oslo.config itself made of these lines, below [DEFAULT], for the option `a`; `b` has the default BB. */
const seenInOslo: readonly (readonly [text: string, value: string | undefined])[] = [
  ['a = v # c', 'v # c'],
  ['a: v', 'v'],
  ['a="q"', 'q'],
  ["a='q'", 'q'],
  ['a="q', '"q'],
  ['a = "x" y', '"x" y'],
  ['a=" sp "', ' sp '],
  ['a=$b', 'BB'],
  ['a=${b}x', 'BBx'],
  ['a=$b$b', 'BBBB'],
  ['a=$$b', '$b'],
  ['a=\\$b', '$b'],
  ['a=x$', 'x$'],
  ['a=$g.x\n[g]\nx=1', '1'],
  ['a=${g.x}\n[g]\nx=1', '1'],
  ['a=1\na=2', '2'],
  ['a=1\n[DEFAULT]\na=2', '2'],
  ['a=1\n 2', '1\n2'],
  ['a =\n  v', '\nv'],
  ['a=', ''],
  ['a=x=y:z', 'x=y:z'],
  ['a:x=y', 'x=y'],
  ['A=1', undefined],
  ['a=x\r\nb=y\r\n', 'x'],
  ['# a=1\n; a=2', undefined],
]

const refusedByOslo = [
  'a',
  '=x',
  ' a=1',
  'a=1\n\n 2',
  'a=1\n# c\n 2',
  'a=1\n\t2\n3',
  '[x',
  '[]',
  'a=$zz',
  'a=$a',
]

describe('a configuration in oslo.config’s form', () => {
  for (const [text, value] of seenInOslo) {
    it(`reads ${JSON.stringify(text)} as oslo.config does`, () => {
      assert.equal(new OsloConf(`[DEFAULT]\n${text}`, { b: 'BB' }).get('DEFAULT', 'a'), value)
    })
  }

  for (const text of refusedByOslo) {
    it(`refuses ${JSON.stringify(text)} as oslo.config does`, () => {
      assert.throws(
        () => new OsloConf(`[DEFAULT]\n${text}`).get('DEFAULT', 'a'),
        (error) => isBackupError(error, 'CONFIG_INVALID'),
      )
    })
  }

  it('refuses an assignment before any group, and a byte order mark', () => {
    for (const text of ['a=1', '\ufeff[DEFAULT]\na=1']) {
      assert.throws(() => new OsloConf(text), /Line 1/)
    }
  })

  it('gives back any value that is written with doubled dollars', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~][ -~]{0,30}[!-~]$/), (value) => {
        fc.pre(!/^(["']).*\1$/.test(value) && !value.includes('\\'))
        const conf = new OsloConf(`[DEFAULT]\na = ${value.replaceAll('$', '$$$$')}`)
        assert.equal(conf.get('DEFAULT', 'a'), value)
      }),
    )
  })
})
