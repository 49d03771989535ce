import { deflateSync } from 'node:zlib'
import type { Compressor } from '@stowage/backup-core'
import { but } from './broken-compressor.js'
import type { BrokenCompressor } from './broken-compressor.js'
import { changedResult, sound } from './sound-compressor.js'

const callerBuffer = 'a buffer of the caller'
const validResult = 'the result is valid and no byte outside is written'
const sameBytes = 'the bytes are right and no byte outside is written'

const shorter = 'compress returns a shorter result, which decompresses to the input, for'
const nullOrShorter = 'compress returns null or a shorter result'

/** Compressors that are at fault with a result that is not shorter, or with the caller’s buffer. */
export const brokenWithBuffers: readonly BrokenCompressor[] = [
  {
    fault: 'the input is returned where it does not shrink',
    foundBy: [
      'a round trip returns noise, or null',
      `${nullOrShorter} for noise of any length`,
      `${nullOrShorter} where speed matters more than length`,
    ],
    create: but({ compress: async (bytes) => (await sound.compress(bytes)) ?? bytes }),
  },
  {
    fault: 'a result that outgrows its input is returned',
    foundBy: ['a round trip returns noise, or null', `${nullOrShorter} for noise of any length`],
    create: but({ compress: async (bytes) => deflateSync(bytes) }),
  },
  {
    fault: 'a result that outgrows its input is cut off',
    foundBy: ['a round trip returns noise, or null', `${nullOrShorter} for noise of any length`],
    create: but({
      compress: async (bytes) => deflateSync(bytes).subarray(0, Math.max(0, bytes.length - 1)),
    }),
  },
  {
    fault: 'nothing shrinks',
    foundBy: [
      'a round trip shrinks zeros and text',
      ...['zeros', 'text', 'a disk image', 'noise that is followed by as many zeros'].map(
        (name) => `${shorter} ${name}`,
      ),
    ],
    create: but({ compress: async () => null }),
  },
  {
    fault: 'its input is used as memory',
    foundBy: ['compress leaves its input as it was'],
    create: but({
      compress: async (bytes) => {
        const compressed = await sound.compress(bytes)
        bytes.fill(1)
        return compressed
      },
    }),
  },
  {
    fault: 'the end is missing where speed matters more than length',
    foundBy: [`${nullOrShorter} where speed matters more than length`],
    create: but({
      compress: changedResult((compressed, _input, { preferSpeed }) =>
        preferSpeed === true ? compressed.subarray(0, -1) : compressed,
      ),
    }),
  },
  {
    fault: 'the result is written from the beginning of the ArrayBuffer, not of the view',
    foundBy: [
      `${callerBuffer} for compress, in memory of its own, just long enough: ${validResult}`,
      `${callerBuffer} for compress, in shared memory, longer than needed: ${validResult}`,
      `${callerBuffer} for decompress, in memory of its own, just long enough: ${sameBytes}`,
      `${callerBuffer} for decompress, in shared memory, longer than needed: ${sameBytes}`,
    ],
    create: but({
      compress: changedResult((compressed, _input, { buffer }) =>
        buffer && compressed.length <= buffer.length
          ? into(new Uint8Array(buffer.buffer), compressed)
          : compressed,
      ),
      decompress: async (bytes, expected, { buffer } = {}) => {
        const opened = await sound.decompress(bytes, expected)
        return buffer && expected <= buffer.length ? into(new Uint8Array(buffer.buffer), opened) : opened
      },
    }),
  },
  {
    fault: 'one byte more is written than the buffer has',
    foundBy: [`${callerBuffer} for decompress, in memory of its own, just long enough: ${sameBytes}`],
    create: but({
      decompress: async (bytes, expected, { buffer } = {}) => {
        const opened = await sound.decompress(bytes, expected)
        if (buffer?.length !== expected) return opened
        new Uint8Array(buffer.buffer)[buffer.byteOffset + expected] = 0
        return into(buffer, opened)
      },
    }),
  },
  {
    fault: 'a stream that is too long is written past the end of the buffer',
    foundBy: [`${callerBuffer} in shared memory: no byte outside is written for a stream that is refused`],
    create: but({
      decompress: (bytes, expected, { buffer } = {}) => {
        if (buffer) new Uint8Array(buffer.buffer, buffer.byteOffset + expected).fill(0, 0, 100)
        return sound.decompress(bytes, expected)
      },
    }),
  },
  {
    fault: 'the length of the buffer is not checked',
    foundBy: [
      `${callerBuffer} for decompress, in memory of its own, too short: ${sameBytes}`,
      `${callerBuffer} for decompress, in shared memory, too short: ${sameBytes}`,
    ],
    create: but({
      decompress: async (bytes, expected, { buffer } = {}) =>
        cutInto(buffer, await sound.decompress(bytes, expected)),
    }),
  },
  {
    fault: 'the whole buffer is returned as the result',
    foundBy: [`${callerBuffer} for decompress, in memory of its own, longer than needed: ${sameBytes}`],
    create: but({
      decompress: async (bytes, expected, { buffer } = {}) => {
        const opened = await sound.decompress(bytes, expected)
        if (!buffer || buffer.length < expected) return opened
        into(buffer, opened)
        return buffer
      },
    }),
  },
  {
    fault: 'the buffer is assumed to be zeroed',
    foundBy: [`${callerBuffer} may hold the bytes of an earlier call`],
    create: but({
      decompress: async (bytes, expected, { buffer } = {}) => {
        const opened = await sound.decompress(bytes, expected)
        if (!buffer || buffer.length < expected) return opened
        for (const [index, byte] of opened.entries()) buffer[index]! |= byte
        return buffer.subarray(0, expected)
      },
    }),
  },
  {
    fault: 'the memory of one call is used for all',
    foundBy: [
      `${callerBuffer} in shared memory: concurrent calls with a buffer each do not disturb each other`,
    ],
    create: (): Compressor => {
      const memory = new Uint8Array(new SharedArrayBuffer(2 ** 23))
      return {
        ...sound,
        decompress: async (bytes, expected, { buffer } = {}) => {
          const opened = await sound.decompress(bytes, expected)
          return buffer ? into(memory, opened) : opened
        },
      }
    },
  },
  {
    fault: 'the buffer is written after an aborted call ended',
    foundBy: [`${callerBuffer} is not written after the call ended, by an abort or a refusal`],
    create: but({
      compress: (bytes, options = {}) => {
        const { signal, buffer } = options
        const call = sound.compress(bytes, options)
        if (!signal || !buffer) return call
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => {
            sound.compress(bytes, { signal }).then(resolve, reject)
          })
          void call.then((compressed) => setTimeout(() => compressed && into(buffer, compressed), 20))
        })
      },
    }),
  },
]

function into(memory: Uint8Array, bytes: Uint8Array): Uint8Array {
  memory.set(bytes)
  return memory.subarray(0, bytes.length)
}

/** As {@link into}, as far as it fits. */
const cutInto = (memory: Uint8Array | undefined, bytes: Uint8Array): Uint8Array =>
  memory ? into(memory, bytes.subarray(0, memory.length)) : bytes
