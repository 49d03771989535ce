import type { CompressorConformanceOptions } from '../../src/compressor/index.js'
import type { BrokenCompressor } from './broken-compressor.js'
import { sound } from './sound-compressor.js'

/** A compressor that a program can make from Node's own zlib alone. */
export const soundExpression = `{
  compress: async (bytes) => new Promise((resolve) => deflate(bytes, (_, result) => resolve(result))),
  decompress: (bytes) => new Promise((resolve, reject) =>
    inflate(bytes, (error, result) => error ? reject(Object.assign(error, { code: 'OBJECT_CORRUPT' })) : resolve(result))),
  async *decompressStream(pieces) {
    const chunks = []
    for await (const piece of pieces) chunks.push(Buffer.from(piece))
    yield inflateSync(Buffer.concat(chunks))
  }
}`

const program = (create: string): Partial<CompressorConformanceOptions> => ({
  program: { module: 'node:zlib', create, timeoutMs: 1_500 },
})

const ends = 'a program that imports it ends by itself'

/** Compressors that are at fault in a program of their own process. */
export const brokenPrograms: readonly BrokenCompressor[] = [
  {
    fault: 'a handle keeps a program from its end',
    foundBy: [
      `${ends}, as an ES module`,
      `${ends}, as a CommonJS module`,
      `${ends} after a stream was refused`,
    ],
    create: () => sound,
    options: program(`(setInterval(() => {}, 1_000), ${soundExpression})`),
  },
  {
    fault: 'an aborted call keeps a program from its end',
    foundBy: [`${ends} after an abort`],
    create: () => sound,
    options: program(`({
      ...${soundExpression},
      compress: async (bytes, { signal } = {}) =>
        signal === undefined ? deflateSync(bytes) : void setInterval(() => {}, 1_000)
    })`),
  },
  {
    fault: 'a stream that is left leaves something open',
    foundBy: [`${ends} after it left a stream half way`],
    create: () => sound,
    options: program(`({
      ...${soundExpression},
      async *decompressStream() {
        setInterval(() => {}, 1_000)
        yield new Uint8Array(1)
      }
    })`),
  },
  {
    fault: 'a program ends before its calls do',
    foundBy: [
      `${ends}, as an ES module`,
      `${ends} when the calls that were under way at its end are done, and not before`,
    ],
    create: () => sound,
    options: program(`({
      ...${soundExpression},
      compress: (bytes) => new Promise((resolve) => setTimeout(() => resolve(deflateSync(bytes)), 200).unref())
    })`),
  },
  {
    fault: 'process.exit does not end a program',
    foundBy: [
      'a program that imports it may call process.exit during its calls, immediately',
      'a program that imports it may call process.exit during its calls, a little later',
    ],
    create: () => sound,
    options: program(`(process.on('exit', () => { for (;;); }), ${soundExpression})`),
  },
  {
    fault: 'it cannot be loaded',
    foundBy: [`${ends}, as an ES module`, `${ends}, as a CommonJS module`],
    create: () => sound,
    options: { program: { module: 'node:no-such-module', create: 'none()' } },
  },
]
