import { deflateSync, inflateSync } from 'node:zlib'
import { BackupError, isBackupError } from '@stowage/backup-core'
import type { CodecOptions, Compressor } from '@stowage/backup-core'
import { but } from './broken-compressor.js'
import type { BrokenCompressor } from './broken-compressor.js'
import { longBomb } from './long-bomb.js'
import { corrupt, open, sound, withoutStreams } from './sound-compressor.js'

type DecompressStream = NonNullable<Compressor['decompressStream']>
type Decompress = (bytes: Uint8Array, expected: number, options?: CodecOptions) => Promise<Uint8Array>

/** A sound compressor but for how it opens streams. */
const streaming = (decompressStream: DecompressStream): (() => Compressor) => but({ decompressStream })

const openSoundly: Decompress = (...call) => sound.decompress(...call)

/** Opens a whole stream in one call, from the pieces that `read` makes of those that came. */
const atOnce = (
  read: (piece: Uint8Array) => Uint8Array,
  decompress: Decompress = openSoundly,
): DecompressStream =>
  async function* (pieces, expected, options) {
    const kept: Uint8Array[] = []
    for await (const piece of pieces) kept.push(read(piece))
    yield await decompress(Buffer.concat(kept), expected, options)
  }

/** The sound one's pieces, each changed or watched. */
const changed = (change: (piece: Uint8Array, givenBytes: number) => Uint8Array): DecompressStream =>
  async function* (pieces, expected, options) {
    let givenBytes = 0
    for await (const piece of sound.decompressStream(pieces, expected, options)) {
      yield change(piece, givenBytes)
      givenBytes += piece.length
    }
  }

const refuses = 'decompressStream refuses as OBJECT_CORRUPT'
const early = 'decompressStream that ends early'
const bomb = 'a bomb, at the first byte beyond the expected length, and does not read on'

/** Opens whatever there is, up to where it is damaged. */
async function openLeniently(bytes: Uint8Array, expected: number): Promise<Uint8Array> {
  const opened = await open(bytes, 2 ** 28).catch(() => ({ bytes: new Uint8Array(expected) }))
  return opened.bytes.subarray(0, expected)
}

/** Compressors that are at fault with streams that come in pieces. */
export const brokenStreams: readonly BrokenCompressor[] = [
  {
    fault: 'decompressStream is not there',
    foundBy: [
      'its optional methods include decompressStream exactly where `streams` is true',
      'decompressStream takes its input byte by byte',
    ],
    create: () => withoutStreams,
  },
  {
    fault: 'the pieces of a stream are kept',
    foundBy: [
      'decompressStream yields the bytes that decompress returns: text',
      'decompressStream takes its input byte by byte',
      'decompressStream takes pieces of any length, empty ones among them',
      'decompressStream decompresses several streams concurrently',
    ],
    create: streaming(atOnce((piece) => piece)),
  },
  {
    fault: 'the pieces of a stream are written to',
    foundBy: [
      'decompressStream yields the bytes that decompress returns: text',
      'decompressStream takes pieces in shared memory',
    ],
    create: streaming(
      atOnce((piece) => {
        const copy = piece.slice()
        piece.fill(0)
        return copy
      }),
    ),
  },
  {
    fault: 'a stream ends at a piece of nothing',
    foundBy: ['decompressStream takes pieces of any length, empty ones among them'],
    create: streaming(async function* (pieces, expected, options) {
      const ending = async function* (): AsyncGenerator<Uint8Array> {
        for await (const piece of pieces) {
          if (piece.length === 0) return
          yield piece
        }
      }
      yield* sound.decompressStream(ending(), expected, options)
    }),
  },
  {
    fault: 'a piece is gone before the next is asked for',
    foundBy: ['decompressStream yields pieces that stay unchanged until the next is requested'],
    create: streaming(
      changed((piece) => {
        setTimeout(() => piece.fill(0), 1)
        return piece
      }),
    ),
  },
  {
    fault: 'a stream is read without bound',
    foundBy: [
      'decompressStream does not read a long input to its end before its output is consumed (backpressure)',
      `${refuses} ${bomb}`,
    ],
    create: streaming(async function* (pieces, expected, options) {
      const kept: Uint8Array[] = []
      for await (const piece of pieces) kept.push(piece.slice())
      const again = async function* (): AsyncGenerator<Uint8Array> {
        for (const piece of kept) yield await Promise.resolve(piece)
      }
      yield* sound.decompressStream(again(), expected, options)
    }),
  },
  {
    fault: 'a stream is read on while its output waits',
    foundBy: [
      'decompressStream does not read a long input to its end before its output is consumed (backpressure)',
    ],
    create: streaming(async function* (pieces, expected, options) {
      const kept: Uint8Array[] = []
      const reading = (async () => {
        for await (const piece of pieces) kept.push(piece.slice())
      })()
      let isRead = false
      void reading.finally(() => (isRead = true))
      const again = async function* (): AsyncGenerator<Uint8Array> {
        for (let index = 0; ; index++) {
          while (kept[index] === undefined && !isRead) await new Promise((resolve) => setImmediate(resolve))
          const piece = kept[index]
          if (piece === undefined) return
          yield piece
        }
      }
      yield* sound.decompressStream(again(), expected, options)
    }),
  },
  {
    fault: 'what another program wrote is not read in pieces',
    foundBy: ['decompressStream opens what another program wrote: level 9'],
    create: streaming(
      atOnce(
        (piece) => piece.slice(),
        async (bytes, expected) => {
          if (bytes[1] !== 0x01) throw corrupt('another level')
          return sound.decompress(bytes, expected)
        },
      ),
    ),
    options: {
      golden: [{ name: 'level 9', raw: Buffer.from('text'), compressed: deflateSync('text', { level: 9 }) }],
    },
  },
  {
    fault: 'more is given than was expected',
    foundBy: [
      `${refuses} one byte more than was expected`,
      `${refuses} twice what was expected`,
      `${refuses} something where nothing was expected`,
      `${refuses} ${bomb}`,
    ],
    create: streaming(
      atOnce(
        (piece) => piece.slice(),
        async (bytes) => (await open(bytes, 2 ** 28)).bytes,
      ),
    ),
  },
  {
    fault: 'a stream may end too early, and be damaged, and hold too little',
    foundBy: [
      `${refuses} one byte less than was expected`,
      `${refuses} half of what was expected`,
      `${refuses} a stream that ends too early, wherever that is`,
      `${refuses} no stream at all`,
      `${refuses} noise in place of a stream`,
      `${refuses} a damaged stream where decompress does, and gives the same bytes where it does not`,
    ],
    create: streaming(atOnce((piece) => piece.slice(), openLeniently)),
  },
  {
    fault: 'bytes behind a stream are ignored',
    foundBy: ['a zero byte', 'a byte of 0xff', 'zeros', 'noise', 'the same again'].map(
      (name) => `${refuses} a stream that is followed by ${name}`,
    ),
    create: streaming(atOnce((piece) => piece.slice(), openLeniently)),
  },
  {
    fault: 'the errors of its engine come through',
    foundBy: [`${refuses} noise in place of a stream`, `${refuses} text in place of a stream`],
    create: streaming(
      atOnce(
        (piece) => piece.slice(),
        async (bytes) => inflateSync(bytes),
      ),
    ),
  },
  {
    fault: 'one refused stream is its last',
    foundBy: ['after it refused a stream decompressStream still opens a sound one'],
    create: (): Compressor => {
      let isBroken = false
      return {
        ...sound,
        async *decompressStream(...call) {
          if (isBroken) throw corrupt('still broken')
          isBroken = true
          yield* sound.decompressStream(...call)
          isBroken = false
        },
      }
    },
  },
  {
    fault: 'a bomb is opened before it is refused',
    foundBy: ['a decompression bomb that another program made is refused as OBJECT_CORRUPT in pieces: zeros'],
    create: streaming(
      atOnce(
        (piece) => piece.slice(),
        async (bytes) => {
          await open(bytes, 2 ** 30)
          throw corrupt('too long')
        },
      ),
    ),
    options: { bombs: [longBomb] },
  },
  {
    fault: 'its input is left open when its output is not wanted any more',
    foundBy: [
      `${early} closes its input when the consumer stops early`,
      `${early} closes its input when the consumer throws`,
    ],
    create: streaming(async function* (pieces, expected, options) {
      const source = pieces[Symbol.asyncIterator]()
      // Without `return`, nobody can close it.
      const open = { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) }
      yield* sound.decompressStream(open, expected, options)
    }),
  },
  {
    fault: 'signals are not heard',
    foundBy: [
      `${early} rejects with ABORTED when its signal is already aborted, and reads no input`,
      `${early} rejects with ABORTED when it is aborted half way, and closes its input`,
    ],
    create: streaming((pieces, expected) => sound.decompressStream(pieces, expected)),
  },
  {
    fault: 'a signal spoils it for good',
    foundBy: [`${early} is not harmed by an abort after its end`],
    create: (): Compressor => {
      let isOver = false
      return {
        ...sound,
        async *decompressStream(pieces, expected, options = {}) {
          if (isOver) throw corrupt('over')
          options.signal?.addEventListener('abort', () => (isOver = true))
          yield* sound.decompressStream(pieces, expected, options)
        },
      }
    },
  },
  {
    fault: 'the error of its input is hidden behind another',
    foundBy: [
      `${early} rejects with the error of its input unchanged, an error before its first byte`,
      `${early} rejects with the error of its input unchanged, an error half way`,
      `${early} rejects with the error of its input unchanged, a BackupError half way`,
    ],
    create: streaming(async function* (...call) {
      try {
        yield* sound.decompressStream(...call)
      } catch {
        throw corrupt('something went wrong')
      }
    }),
  },
  {
    fault: 'the error of its input is wrapped into OBJECT_CORRUPT, as its cause',
    foundBy: ['before its first byte', 'half way'].flatMap((where) =>
      ['an error', 'a BackupError', 'the AbortError of a client that gave up'].map(
        (name) => `${early} rejects with the error of its input unchanged, ${name} ${where}`,
      ),
    ),
    create: streaming(async function* (pieces, ...call) {
      let inputError: unknown
      const watched = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* pieces
        } catch (error) {
          inputError = error
          throw error
        }
      }
      try {
        yield* sound.decompressStream(watched(), ...call)
      } catch (error) {
        if (inputError === undefined) throw error
        throw new BackupError('OBJECT_CORRUPT', 'The stream cannot be read.', { cause: inputError })
      }
    }),
  },
  {
    fault: 'the error of its input is copied, code and all',
    foundBy: [
      `${early} rejects with the error of its input unchanged, a BackupError before its first byte`,
      `${early} rejects with the error of its input unchanged, a BackupError half way`,
      `${early} rejects with the error of its input unchanged, a BackupError after its last byte`,
    ],
    create: streaming(async function* (...call) {
      try {
        yield* sound.decompressStream(...call)
      } catch (error) {
        throw isBackupError(error) ? new BackupError(error.code, error.message) : error
      }
    }),
  },
  {
    fault: 'an error of its input after the last byte of a stream is ignored',
    foundBy: [`${early} rejects with the error of its input unchanged, a BackupError after its last byte`],
    create: streaming(async function* (pieces, expected, options) {
      const kept: Uint8Array[] = []
      try {
        for await (const piece of pieces) kept.push(piece.slice())
      } catch (error) {
        if (kept.length === 0) throw error
      }
      yield await sound.decompress(Buffer.concat(kept), expected, options)
    }),
  },
]
