import assert from 'node:assert/strict'
import { COMPRESSION_WORDS } from '@stowage/backup-core'
import { withCompressor } from './expectations.js'
import type { CompressorConformanceOptions } from './types.js'

const wordsOfUncompressed = ['none', 'off', 'no']

export function nameTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('its words', () => {
    it('are written in lower case', () =>
      withCompressor(options, ({ name, aliases }) => {
        for (const word of [name, ...aliases]) {
          assert.match(
            word,
            /^[a-z0-9][a-z0-9_.-]*$/,
            'a word of lower-case letters, digits, and _ . - within',
          )
        }
      }))

    it('are none of the words that stand for stored raw', () =>
      withCompressor(options, ({ name, aliases }) => {
        for (const word of [name, ...aliases]) {
          assert.ok(!wordsOfUncompressed.includes(word), `"${word}" is what a store records for a raw chunk`)
        }
      }))

    it('are Cinder’s, or are declared not to be (cinderCompatible: false)', () =>
      withCompressor(options, ({ name, cinderCompatible }) => {
        assert.ok(
          [undefined, true, false].includes(cinderCompatible),
          `cinderCompatible must be true, false or left out, not ${String(cinderCompatible)}`,
        )
        if (COMPRESSION_WORDS.includes(name) || wordsOfUncompressed.includes(name)) return
        assert.equal(
          cinderCompatible,
          false,
          `"${name}" is not one of Cinder's words (${COMPRESSION_WORDS.join(', ')}), so Cinder cannot restore what this compressor writes: set cinderCompatible: false on it`,
        )
      }))

    it('are each named once', () =>
      withCompressor(options, ({ name, aliases }) => {
        const words = [name, ...aliases]
        assert.equal(new Set(words).size, words.length, `the same word twice in ${words.join(', ')}`)
      }))
  })
}
