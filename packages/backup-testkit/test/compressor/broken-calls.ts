import { deflateSync, inflateSync } from 'node:zlib'
import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import { but } from './broken-compressor.js'
import type { BrokenCompressor } from './broken-compressor.js'
import { longBomb } from './long-bomb.js'
import { corrupt, open, sound } from './sound-compressor.js'

/** Kept, so that no opened bytes lie in memory that an earlier test gave back. */
const hoard: Uint8Array[] = []

const followedBy = 'a stream that is followed by more is refused as OBJECT_CORRUPT when that is'
const wrongLength = 'an expected length that is wrong is refused as OBJECT_CORRUPT when it is'
const notOne = 'invalid data is refused as OBJECT_CORRUPT when it is'

const accepted = 'its name and aliases are accepted by drivers'

/** Compressors whose calls, or names, are at fault whatever their options are. */
export const brokenCalls: readonly BrokenCompressor[] = [
  {
    fault: 'its name is one that stands for stored raw',
    foundBy: [accepted],
    create: but({ name: 'none' }),
  },
  {
    fault: 'its name is not one of Cinder’s, and it does not declare that',
    foundBy: [accepted],
    create: but({ name: 'lz4' }),
  },
  {
    fault: 'it has a name twice',
    foundBy: [accepted],
    create: but({ aliases: ['zlib'] }),
  },
  {
    fault: 'it has a name in capitals',
    foundBy: [accepted],
    create: but({ aliases: ['GZIP'] }),
  },
  {
    fault: 'its progress is of the compressed bytes',
    foundBy: ['progress counts raw bytes, never decreases, and never exceeds their number'],
    create: but({
      compress: async (bytes, { signal, onProgress } = {}) => {
        throwIfAborted(signal)
        const compressed = await sound.compress(bytes)
        onProgress?.(compressed?.length ?? 0, compressed?.length ?? 0)
        return compressed
      },
    }),
  },
  {
    fault: 'its progress begins anew',
    foundBy: ['progress counts raw bytes, never decreases, and never exceeds their number'],
    create: but({
      decompress: async (bytes, expected, options = {}) => {
        options.onProgress?.(expected, expected)
        options.onProgress?.(0, expected)
        return sound.decompress(bytes, expected, options)
      },
    }),
  },
  {
    fault: 'bytes behind the stream are ignored',
    foundBy: ['a zero byte', 'a byte of 0xff', 'zeros', 'noise', 'the same stream again'].map(
      (name) => `${followedBy} ${name}`,
    ),
    create: but({
      decompress: async (bytes, expected, { signal } = {}) => {
        throwIfAborted(signal)
        const opened = await open(bytes, expected)
        if (opened.bytes.length !== expected) throw corrupt('wrong length')
        return opened.bytes
      },
    }),
  },
  {
    fault: 'the expected length is ignored',
    foundBy: [
      `${wrongLength} one byte less than the stream holds`,
      `${wrongLength} half of what the stream holds`,
      `${wrongLength} nothing`,
      `${wrongLength} one byte more than the stream holds`,
      `${wrongLength} twice what the stream holds`,
    ],
    create: but({ decompress: async (bytes) => (await open(bytes, 2 ** 30)).bytes }),
  },
  {
    fault: 'everything is opened before its length is looked at',
    foundBy: [
      'a decompression bomb is refused as OBJECT_CORRUPT without the memory that it would fill',
      'a decompression bomb that another program made is refused as OBJECT_CORRUPT: zeros',
    ],
    create: but({
      decompress: async (bytes, expected) => {
        const opened = await open(bytes, 2 ** 30)
        hoard.push(opened.bytes)
        if (opened.bytes.length !== expected) throw corrupt('wrong length')
        return opened.bytes
      },
    }),
    options: { bombs: [longBomb] },
  },
  {
    fault: 'a result that is too short is given as it is',
    foundBy: [`${wrongLength} one byte more than the stream holds`],
    create: but({ decompress: async (bytes, expected) => (await open(bytes, expected)).bytes }),
  },
  {
    fault: 'the beginning is given of a stream that was cut short',
    foundBy: ['when its middle is the end', 'when only its last bytes are lost'].map(
      (name) => `a stream that was cut short is refused as OBJECT_CORRUPT ${name}`,
    ),
    create: but({
      decompress: async (bytes, expected) => {
        const opened = new Uint8Array(expected)
        const end = bytes.length > 9 ? Infinity : 0
        opened.set((await sound.decompress(bytes, expected).catch(() => opened)).subarray(0, end))
        return opened
      },
    }),
  },
  {
    fault: 'the errors of its engine come through',
    foundBy: [`${notOne} noise`, `${notOne} text`, `${notOne} nothing`],
    create: but({
      decompress: async (bytes, expected) => inflateSync(bytes, { maxOutputLength: Math.max(1, expected) }),
    }),
  },
  {
    fault: 'its input is written to',
    foundBy: ['the input is not changed by compressing', 'the input is not changed by decompressing'],
    create: but({
      compress: async (bytes, options) => {
        const compressed = await sound.compress(bytes, options)
        bytes.fill(0, 0, 1)
        bytes.fill(0xff, 1, 2)
        return compressed
      },
      decompress: async (bytes, expected) => {
        const opened = await sound.decompress(bytes, expected)
        bytes.fill(0, 0, 1)
        return opened
      },
    }),
  },
  {
    fault: 'its input is moved away',
    foundBy: ['the input is not changed by compressing'],
    create: but({
      compress: async (bytes, options) => {
        const compressed = await sound.compress(bytes, options)
        if (bytes.buffer instanceof ArrayBuffer) structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
        return compressed
      },
    }),
  },
  {
    fault: 'its input is kept, and given out',
    foundBy: ['the input is not retained: the caller may overwrite it after the call'],
    create: but({ compress: async (bytes) => bytes, decompress: async (bytes) => bytes }),
  },
  {
    fault: 'an input is known by the memory that it lies in',
    foundBy: ['the input is read anew in each call: the same memory may hold other bytes the next time'],
    create: (): Compressor => {
      const known = new WeakMap<Uint8Array, Uint8Array>()
      return {
        ...sound,
        compress: async (bytes) => {
          const compressed = known.get(bytes) ?? (await sound.compress(bytes))
          if (compressed) known.set(bytes, compressed)
          return compressed
        },
      }
    },
  },
  {
    fault: 'an input is read from the beginning of its buffer',
    foundBy: ['the input may be a view into the middle of a larger buffer'],
    create: but({ compress: (bytes) => sound.compress(new Uint8Array(bytes.buffer, 0, bytes.length)) }),
  },
  {
    fault: 'shared memory is refused',
    foundBy: ['the input may lie in shared memory'],
    create: but({
      compress: async (bytes) => {
        if (bytes.buffer instanceof SharedArrayBuffer) throw new TypeError('shared')
        return sound.compress(bytes)
      },
    }),
  },
  {
    fault: 'all results lie in one memory',
    foundBy: [
      'a round trip returns exactly the expected length, in memory that the caller may keep',
      'concurrent calls each get their own bytes',
    ],
    create: (): Compressor => {
      const memory = new Uint8Array(80_000_000)
      return {
        ...sound,
        decompress: async (bytes, expected) => {
          memory.set(await sound.decompress(bytes, expected))
          return memory.subarray(0, expected)
        },
      }
    },
  },
  {
    fault: 'one damaged stream makes the calls beside it fail',
    foundBy: ['concurrent calls do not fail with one of them'],
    create: (): Compressor => {
      let hasFailed = false
      return {
        ...sound,
        decompress: async (bytes, expected) => {
          const opened = await sound.decompress(bytes, expected).catch(() => undefined)
          hasFailed ||= opened === undefined
          // Those beside it have failed by then, where one does.
          await new Promise((resolve) => setTimeout(resolve, 50))
          if (opened === undefined || hasFailed) throw corrupt('one of them failed')
          return opened
        },
      }
    },
  },
  {
    fault: 'it stays broken after a refusal',
    foundBy: ['after a refusal the same compressor still reads a sound stream'],
    create: breaksForGood,
  },
  {
    fault: 'signals are not heard',
    foundBy: ['an abort before the call ends it with ABORTED'],
    create: but({
      compress: (bytes) => sound.compress(bytes),
      decompress: (bytes, expected) => sound.decompress(bytes, expected),
    }),
  },
  {
    fault: 'an abort ends a call with an error of its own',
    foundBy: ['an abort during the call ends it with ABORTED, or comes too late and changes nothing'],
    create: but({
      compress: async (bytes, { signal } = {}) => {
        const compressed = await sound.compress(bytes)
        if (signal?.aborted === true) throw new Error('stopped')
        return compressed
      },
    }),
  },
  {
    fault: 'an abort is the end of the compressor',
    foundBy: ['an abort leaves the compressor usable'],
    create: (): Compressor => {
      let isOver = false
      return {
        ...sound,
        compress: async (bytes, { signal } = {}) => {
          signal?.addEventListener('abort', () => (isOver = true))
          if (isOver) throw new BackupError('CLOSED', 'over')
          return sound.compress(bytes)
        },
      }
    },
  },
  {
    fault: 'what another program wrote is not read',
    foundBy: ['the streams of other programs open to their bytes: another program'],
    create: () => sound,
    options: {
      golden: [{ name: 'another program', raw: new Uint8Array(100), compressed: new Uint8Array(20) }],
    },
  },
  {
    fault: 'the main thread does the work',
    foundBy: [
      'the main thread is not blocked while 8 MiB are compressed and decompressed, whole and in pieces',
    ],
    create: but({ compress: async (bytes) => shorterThan(bytes, deflateSync(bytes)) }),
  },
  {
    fault: 'the main thread opens what was compressed elsewhere',
    foundBy: [
      'the main thread is not blocked while 8 MiB are compressed and decompressed, whole and in pieces',
    ],
    create: but({
      decompress: async (bytes, expected) => inflateSync(bytes, { maxOutputLength: Math.max(1, expected) }),
    }),
  },
  {
    fault: 'the main thread opens a stream',
    foundBy: [
      'the main thread is not blocked while 8 MiB are compressed and decompressed, whole and in pieces',
    ],
    create: but({
      async *decompressStream(pieces) {
        for await (const piece of pieces) yield inflateSync(piece)
      },
    }),
  },
]

function breaksForGood(): Compressor {
  let isBroken = false
  return {
    ...sound,
    decompress: async (bytes, expected, options) => {
      if (isBroken) throw corrupt('still broken')
      try {
        return await sound.decompress(bytes, expected, options)
      } catch (error) {
        isBroken = true
        throw error
      }
    },
  }
}

const shorterThan = (bytes: Uint8Array, compressed: Uint8Array): Uint8Array | null =>
  compressed.length < bytes.length ? compressed : null
