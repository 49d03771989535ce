import { deflateSync } from 'node:zlib'
import { but } from './broken-compressor.js'
import type { BrokenCompressor } from './broken-compressor.js'
import { sound, withoutStreams } from './sound-compressor.js'

const opens = 'compressParts returns null, or what decompresses to the parts in their order'

/** Compressors that are at fault with an input in parts. */
export const brokenWithParts: readonly BrokenCompressor[] = [
  {
    fault: 'compressParts, which it is said to have, is missing',
    foundBy: [`${opens}: text`, 'compressParts leaves its parts as they were'],
    create: () => withoutStreams,
  },
  {
    fault: 'only the first part is taken',
    foundBy: [`${opens}: text`],
    create: but({
      compressParts: (parts, options) =>
        sound.compress(parts.find(({ length }) => length > 0) ?? new Uint8Array(0), options),
    }),
  },
  {
    fault: 'an empty part ends the input',
    foundBy: [`${opens}: text`],
    create: but({
      compressParts: async (parts, options) => {
        const empty = parts.findIndex(({ length }) => length === 0)
        const taken = Buffer.concat(empty < 0 ? parts : parts.slice(0, empty))
        return (await sound.compress(taken, options)) ?? deflateSync(taken)
      },
    }),
  },
  {
    fault: 'parts are joined in the wrong order',
    foundBy: [`${opens}: every byte value`],
    create: but({
      compressParts: (parts, options) => sound.compress(Buffer.concat([...parts].reverse()), options),
    }),
  },
  {
    fault: 'a result that is not shorter than its parts is returned',
    foundBy: [`${opens}: noise`],
    create: but({ compressParts: async (parts) => deflateSync(Buffer.concat(parts)) }),
  },
  {
    fault: 'no parts shrink',
    foundBy: ['compressParts shrinks text and zeros'],
    create: but({ compressParts: async () => null }),
  },
  {
    fault: 'the end of what parts become is cut off',
    foundBy: [`${opens}: text`],
    create: but({
      compressParts: async (parts, options) =>
        (await sound.compress(Buffer.concat(parts), options))?.subarray(0, -1) ?? null,
    }),
  },
  {
    fault: 'parts are used as memory',
    foundBy: ['compressParts leaves its parts as they were'],
    create: but({
      compressParts: async (parts, options) => {
        const compressed = await sound.compress(Buffer.concat(parts), options)
        parts.at(-1)?.fill(1)
        return compressed
      },
    }),
  },
  {
    fault: 'the result of parts is put in front of the caller’s buffer',
    foundBy: ['memory of its own', 'shared memory'].map(
      (kind) => `compressParts writes nothing outside the caller’s buffer, in ${kind}, long enough or not`,
    ),
    create: but({
      compressParts: async (parts, options = {}) => {
        const compressed = await sound.compress(Buffer.concat(parts), options)
        const whole = new Uint8Array(options.buffer?.buffer ?? new ArrayBuffer(0))
        if (compressed === null || compressed.length > whole.length) return compressed
        whole.set(compressed)
        return whole.subarray(0, compressed.length)
      },
    }),
  },
  {
    fault: 'an abort before a call with parts is not heard',
    foundBy: ['compressParts ends with ABORTED where the abort came before the call'],
    create: but({ compressParts: (parts) => sound.compress(Buffer.concat(parts)) }),
  },
]
