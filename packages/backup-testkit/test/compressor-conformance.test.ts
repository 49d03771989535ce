import { deflateSync, inflateSync } from 'node:zlib'
import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { compressorConformance, crossEngineConformance } from '../src/compressor/index.js'
import { failuresOf } from './compressor-recording-runner.js'

const corrupt = (message: string): BackupError => new BackupError('OBJECT_CORRUPT', message)

/** The least that passes: synchronous, and sound. The broken ones below differ from it in one thing each. */
const sound: Compressor = {
  name: 'zlib',
  aliases: ['gzip'],
  compress: async (bytes, { signal } = {}) => {
    throwIfAborted(signal)
    return deflateSync(bytes, { level: 1 })
  },
  decompress: async (bytes, expected, { signal } = {}) => {
    throwIfAborted(signal)
    const opened = inflate(bytes, expected)
    if (opened.taken < bytes.length) throw corrupt('trailing bytes')
    if (opened.bytes.length !== expected) throw corrupt('wrong length')
    return opened.bytes
  },
}

function inflate(bytes: Uint8Array, mostBytes: number): { bytes: Uint8Array; taken: number } {
  try {
    const result: unknown = inflateSync(bytes, { maxOutputLength: Math.max(1, mostBytes), info: true })
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } }
    return { bytes: buffer, taken: engine.bytesWritten }
  } catch (cause) {
    throw new BackupError('OBJECT_CORRUPT', 'damaged', { cause })
  }
}

const failures = (overrides: Partial<Compressor>): Promise<readonly string[]> =>
  failuresOf((runner) => {
    compressorConformance({ ...runner, create: () => ({ ...sound, ...overrides }) })
  })

describe('the conformance suite of compressors', () => {
  it('passes a sound compressor', async () => {
    expect(await failures({})).toEqual([])
  })

  it('fails one that records the word none', async () => {
    expect(await failures({ name: 'none' })).toEqual([
      'its words are none of the words that stand for stored raw',
    ])
  })

  it('fails one that names a word twice, or in capitals', async () => {
    expect(await failures({ aliases: ['zlib'] })).toEqual(['its words are each named once'])
    expect(await failures({ aliases: ['GZIP'] })).toEqual(['its words are written in lower case'])
  })

  it('fails one that ignores bytes behind the stream', async () => {
    const failed = await failures({
      decompress: async (bytes, expected, { signal } = {}) => {
        throwIfAborted(signal)
        const opened = inflate(bytes, expected)
        if (opened.bytes.length !== expected) throw corrupt('wrong length')
        return opened.bytes
      },
    })
    expect(failed).toContain(
      'a stream that is followed by more is refused as OBJECT_CORRUPT when that is noise',
    )
    expect(failed.every((name) => name.startsWith('a stream that is followed by more'))).toBe(true)
  })

  it('fails one that opens everything before it looks at the length', async () => {
    // Kept, so that no opened bytes lie in memory that an earlier test gave back.
    const hoard: Uint8Array[] = []
    const failed = await failures({
      decompress: async (bytes, expected, { signal } = {}) => {
        throwIfAborted(signal)
        const opened = inflate(bytes, 2 ** 30)
        hoard.push(opened.bytes)
        if (opened.taken < bytes.length) throw corrupt('trailing bytes')
        if (opened.bytes.length !== expected) throw corrupt('wrong length')
        return opened.bytes
      },
    })
    expect(failed).toEqual([
      'a bomb: a short stream that opens to a very long one is refused as OBJECT_CORRUPT without the memory that it would fill',
    ])
  })

  it('fails one that gives up short without an error', async () => {
    const failed = await failures({
      decompress: async (bytes, expected, { signal } = {}) => {
        throwIfAborted(signal)
        const opened = inflate(bytes, expected)
        if (opened.taken < bytes.length) throw corrupt('trailing bytes')
        return opened.bytes
      },
    })
    expect(failed).toContain(
      'an expected length that is wrong is refused as OBJECT_CORRUPT when it is one byte more than the stream holds',
    )
  })

  it('fails one that lets the errors of its engine through', async () => {
    const failed = await failures({
      decompress: async (bytes, expected, { signal } = {}) => {
        throwIfAborted(signal)
        return inflateSync(bytes, { maxOutputLength: Math.max(1, expected) })
      },
    })
    expect(failed).toContain('a stream that is not one is refused as OBJECT_CORRUPT when it is noise')
  })

  it('fails one that writes into its input', async () => {
    const failed = await failures({
      compress: async (bytes, options) => {
        const compressed = await sound.compress(bytes, options)
        if (bytes.length > 0) bytes.fill(0, 0, 1)
        return compressed
      },
    })
    expect(failed).toContain('what it is given is not changed by compressing')
  })

  it('fails one that moves its input away', async () => {
    const failed = await failures({
      compress: async (bytes, options) => {
        const compressed = await sound.compress(bytes, options)
        if (bytes.buffer instanceof ArrayBuffer) structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
        return compressed
      },
    })
    expect(failed).toContain('what it is given is not changed by compressing')
  })

  it('fails one that gives out the same memory twice', async () => {
    const memory = new Uint8Array(80_000_000)
    const failed = await failures({
      decompress: async (bytes, expected, options) => {
        const opened = await sound.decompress(bytes, expected, options)
        memory.set(opened)
        return memory.subarray(0, expected)
      },
    })
    expect(failed).toContain('a round trip gives exactly the expected length, as a view that others may keep')
    expect(failed).toContain('many calls at once each get their own bytes')
  })

  it('fails one that does not listen to its signal', async () => {
    const failed = await failures({
      compress: (bytes) => sound.compress(bytes),
      decompress: (bytes, expected) => sound.decompress(bytes, expected),
    })
    expect(failed).toEqual(['an abort that came before the call ends it with ABORTED'])
  })

  it('fails one that stays broken after a failure', async () => {
    const failed = await failuresOf((runner) => {
      compressorConformance({ ...runner, create: breaksForGood })
    })
    expect(failed).toContain('after a refusal the same compressor still reads a sound stream')
  })

  it('fails one that cannot read what another program wrote', async () => {
    const raw = new Uint8Array(100)
    const golden = [{ name: 'another program', raw, compressed: new Uint8Array(20) }]
    const failed = await failuresOf((runner) => {
      compressorConformance({ ...runner, create: () => sound, golden })
    })
    expect(failed).toEqual(['the streams of other programs open to their bytes: another program'])
  })

  it('closes every compressor that it made, whether its test passed or failed', async () => {
    let open = 0
    await failuresOf((runner) => {
      compressorConformance({
        ...runner,
        create: () => {
          open++
          return {
            ...sound,
            decompress: () => Promise.reject(new Error('broken')),
            close: async () => {
              open--
            },
          }
        },
      })
    })
    expect(open).toBe(0)
  })
})

describe('the conformance suite of engines of one word', () => {
  it('fails when one engine does not read what the other wrote', async () => {
    const reversed: Compressor = {
      ...sound,
      compress: async (bytes) => deflateSync(bytes).reverse(),
      decompress: async (bytes, expected) => sound.decompress(bytes.slice().reverse(), expected),
    }
    const failed = await failuresOf((runner) => {
      crossEngineConformance({ ...runner, engines: { sound: () => sound, reversed: () => reversed } })
    })
    expect(failed).toEqual([
      'agree: reversed reads what sound wrote',
      'agree: sound reads what reversed wrote',
    ])
  })
})

function breaksForGood(): Compressor {
  let broken = false
  return {
    ...sound,
    decompress: async (bytes, expected, options) => {
      if (broken) throw corrupt('still broken')
      try {
        return await sound.decompress(bytes, expected, options)
      } catch (error) {
        broken = true
        throw error
      }
    },
  }
}
