import { deflateSync } from 'node:zlib'
import type { Compressor } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { compressorConformance, crossEngineConformance } from '../../src/index.js'
import type { CompressorConformanceOptions } from '../../src/index.js'
import { brokenCalls } from './broken-calls.js'
import { brokenWithBuffers } from './broken-buffers.js'
import { brokenWithParts } from './broken-parts.js'
import { brokenPrograms, soundExpression } from './broken-programs.js'
import { brokenStreams } from './broken-streams.js'
import { failuresOf, recordedTests } from './recording-runner.js'
import type { RecordedTest } from './recording-runner.js'
import { sound, withoutStreams, withWebAborts } from './sound-compressor.js'

const bombLengthBytes = 64 * 1024 * 1024

const suiteOf = (options: Partial<CompressorConformanceOptions>): readonly RecordedTest[] =>
  recordedTests((runner) => {
    compressorConformance({
      ...runner,
      create: () => sound,
      bombLengthBytes,
      chunkSizeBytes: 8 * 1024 * 1024,
      ...options,
    })
  })

/** All options of the suite, for a sound compressor. */
const everything: Partial<CompressorConformanceOptions> = {
  streams: true,
  parts: true,
  golden: [{ name: 'level 9', raw: Buffer.from('text'), compressed: deflateSync('text', { level: 9 }) }],
  bombs: [{ name: 'zeros', compressed: deflateSync(new Uint8Array(bombLengthBytes)) }],
  program: { module: 'node:zlib', create: soundExpression },
}

const broken = [...brokenCalls, ...brokenWithBuffers, ...brokenWithParts, ...brokenStreams, ...brokenPrograms]

describe('the conformance suite of compressors', () => {
  it('passes a sound compressor, and has each name once', { timeout: 120_000 }, async () => {
    const tests = suiteOf(everything)
    const names = tests.map(({ name }) => name)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
    expect(names.length).toBeGreaterThan(100)
    expect(await failuresOf(tests)).toEqual([])
  })

  it('skips the tests of decompressStream and compressParts for a compressor that declares neither', async () => {
    const tests = suiteOf({ create: () => withoutStreams })
    const skipped = tests.filter(({ body }) => body === undefined)
    expect(skipped.length).toBeGreaterThan(40)
    expect(skipped.filter(({ name }) => !/\(skipped: `(streams|parts)` is not set\)$/.test(name))).toEqual([])
    expect(
      skipped.filter(
        ({ part }) => !/decompressStream|compressParts|bomb|refused a stream|program/.test(part),
      ),
    ).toEqual([])
    const declared = tests.filter(({ part }) => part === 'its optional methods')
    expect(declared).toHaveLength(2)
    expect(await failuresOf(declared)).toEqual([])
  })

  it('runs each of its tests on a compressor that declares both', () => {
    expect(suiteOf(everything).filter(({ body }) => body === undefined)).toEqual([])
  })

  it('passes one that reports aborts in the web’s own way', async () => {
    const tests = suiteOf({ streams: true, parts: true, create: () => withWebAborts }).filter(
      ({ part, name }) => part === 'an abort' || /ABORTED|aborted/.test(name),
    )
    expect(tests.length).toBeGreaterThan(6)
    expect(await failuresOf(tests)).toEqual([])
  })

  for (const { fault, foundBy, create, options } of broken) {
    it(`fails one of which ${fault}, in the test that names it`, async () => {
      const tests = suiteOf({ streams: true, parts: true, ...options, create }).filter(({ name }) =>
        foundBy.includes(name),
      )
      expect([...(await failuresOf(tests))].sort()).toEqual([...foundBy].sort())
    })
  }

  it('has no part that none of these fails', () => {
    const found = broken.flatMap(({ foundBy }) => foundBy)
    const parts = new Set(suiteOf(everything).map(({ part }) => part))
    expect(
      [...parts].filter(
        (part) => !found.some((name) => name.startsWith(`${part} `) || name.startsWith(`${part},`)),
      ),
    ).toEqual([])
  })
})

describe('the conformance suite of engines of one algorithm', () => {
  it('fails when one engine does not read what the other wrote', async () => {
    const reversed: Compressor = {
      ...sound,
      compress: async (bytes) => (await sound.compress(bytes))?.slice().reverse() ?? null,
      decompress: async (bytes, expected) => sound.decompress(bytes.slice().reverse(), expected),
    }
    const tests = recordedTests((runner) => {
      crossEngineConformance({ ...runner, engines: { sound: () => sound, reversed: () => reversed } })
    })
    expect(await failuresOf(tests)).toEqual([
      'agree: reversed reads what sound wrote',
      'agree: sound reads what reversed wrote',
    ])
  })
})
