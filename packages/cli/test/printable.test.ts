import { BackupError } from '@stowage/backup-core'
import fc from 'fast-check'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { errorJson, errorText, reportOf } from '../src/output/errors.js'
import { Output } from '../src/output/output.js'
import { printable, printableJson } from '../src/output/printable.js'
import { table } from '../src/output/table.js'

/** Text with many of the characters that must not pass. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '\u001b[2J',
          '\u009b31m',
          '\u202e',
          '\u2067',
          '\u200b',
          '\u200e',
          '\u200f',
          '\u061c',
          '\ufeff',
          '\u00ad',
          '\u2028',
          '\u{e0041}',
          '\ud800',
          '\udfff',
          '\r',
          '\n',
          '\u007f',
          '\u3164',
          'a',
          'é',
          '😀',
          '"',
          '\\',
        ),
        fc.string({ unit: 'grapheme' }),
      ),
    )
    .map((parts) => parts.join('')),
)

/** What may not reach a terminal, by the tables of Unicode: every control, format and separator but the line end. */
function steeringIn(text: string): string[] {
  return Array.from(text).filter((character) => {
    const code = character.codePointAt(0) ?? 0
    return /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(character) || (code >= 0xe0000 && code <= 0xe007f)
  })
}

/** What is written to both streams by `use`. */
function written(json: boolean, use: (output: Output) => void): string {
  let text = ''
  const sink = { write: (part: string) => (text += part) }
  use(new Output({ stdin: Readable.from([]), stdout: sink, stderr: sink, env: {} }, { json, quiet: false }))
  return text
}

describe('text from a store', () => {
  it('has nothing in it that steers a terminal, and is otherwise as it was', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(steeringIn(printable(text))).toEqual([])
        const harmless = Array.from(text)
          .filter((character) => printable(character) === character)
          .join('')
        expect(printable(harmless)).toBe(harmless)
      }),
    )
    expect(printable('Größe ✓ 😀 日本 ❤️')).toBe('Größe ✓ 😀 日本 ❤️')
  })

  it('is equal JSON, escaped, with and without indentation', () => {
    fc.assert(
      fc.property(fc.jsonValue(), hostile, (value, text) => {
        const whole = { [text]: text, value }
        for (const indent of [undefined, 2]) {
          const json = printableJson(whole, indent)
          expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(whole)))
          expect(steeringIn(json.replaceAll('\n', ''))).toEqual([])
        }
      }),
    )
    expect(printableJson(['\u009b', '\u202e', '\u{e0041}'])).toBe('["\\u009b","\\u202e","\\udb40\\udc41"]')
  })

  it('steers no terminal by any way that leads to it', async () => {
    const text = '\u001b\u009b\u202e\u200b\ufeff\u{e0041}\ud800'
    const report = await reportOf(
      new BackupError('VERIFY_FAILED', text, {
        objectName: text,
        problems: [{ code: 'OBJECT_MISSING', message: text }],
        leftovers: [text],
      }),
    )
    const everything = [
      await table([{ title: 'NAME', value: (row: string) => row }], [text]),
      errorText(report),
      errorJson(report),
      ...[true, false].map((json) =>
        written(json, (output) => {
          output.note(text)
          output.warning({ code: 'DRIVER', message: text })
          output.commandLine(text)
          output.result({ json: { name: text }, human: `${text}\n${text}\n` })
        }),
      ),
    ].join('')
    expect(steeringIn(everything.replaceAll('\n', ''))).toEqual([])
    expect(everything).toContain('\\u202e')
  })
})
