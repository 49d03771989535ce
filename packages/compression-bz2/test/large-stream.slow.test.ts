import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { bz2 } from '../src/index.js'

// By itself, so that no other test's memory is counted.
const compressor = bz2()

const mebibyte = 1024 * 1024
const stepBytes = mebibyte

/** What a program makes of bytes that nobody holds, and their checksum once they have all been made. */
function pipeThrough(name: string, options: string[], lengthBytes: number, make: (at: number) => Uint8Array) {
  const md5 = createHash('md5')
  const raw = function* (): Generator<Uint8Array> {
    for (let at = 0; at < lengthBytes; at += stepBytes) {
      const step = make(at)
      md5.update(step)
      yield step
    }
  }
  const child = spawn(name, options, { stdio: ['pipe', 'pipe', 'inherit'] })
  const feeding = pipeline(Readable.from(raw()), child.stdin)
  return { packed: child.stdout, md5: () => feeding.then(() => md5.digest('hex')) }
}

describe('an object that memory does not hold', () => {
  const zeros = Buffer.alloc(stepBytes)
  const noise = randomBytes(stepBytes)
  const words = Buffer.from(noise.toString('base64').slice(0, stepBytes))
  it.each([
    ['zeros', 300, () => zeros],
    ['zeros, text and noise', 300, (at: number) => [words, noise][Math.floor(at / stepBytes / 15)] ?? zeros],
  ])(
    'of %s, from the program bzip2, goes through with little of it',
    async (_, steps, make) => {
      const lengthBytes = steps * stepBytes
      const { packed, md5 } = pipeThrough('bzip2', ['-c'], lengthBytes, make)
      const opened = createHash('md5')
      const beforeBytes = process.memoryUsage.rss()
      let mostBytes = 0
      for await (const piece of compressor.decompressStream!(packed, lengthBytes)) {
        opened.update(piece)
        mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - beforeBytes)
      }
      expect(opened.digest('hex')).toBe(await md5())
      // Of which the workers and this test are the most.
      expect(mostBytes).toBeLessThan(200 * mebibyte)
    },
    240_000,
  )
})
