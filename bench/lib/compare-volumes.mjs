import { execFileSync } from 'node:child_process'
import { open, stat } from 'node:fs/promises'

const pieceBytes = 4 * 1024 * 1024

/** Where a file has data: the kernel knows, and Node has no call for it. */
const findData = `
import os, sys
with open(sys.argv[1], 'rb') as file:
    end = os.fstat(file.fileno()).st_size
    at = 0
    while at < end:
        try:
            data = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(file.fileno(), data, os.SEEK_HOLE)
        print(data, at)
`

/**
 * Rejects unless two files are the same to the last byte, like cmp. What is a hole in both is not read: it is zeros in
 * both.
 *
 * @param {string} expectedPath
 * @param {string} actualPath
 */
export async function requireSame(expectedPath, actualPath) {
  const [expected, actual] = await Promise.all([stat(expectedPath), stat(actualPath)])
  if (expected.size !== actual.size) {
    throw new WrongBytes(`${actualPath} has ${actual.size} bytes, and ${expectedPath} has ${expected.size}.`)
  }
  const extents = merged([...dataExtents(expectedPath, expected), ...dataExtents(actualPath, actual)])
  const files = await Promise.all([open(expectedPath), open(actualPath)])
  try {
    for (const [from, to] of extents) await requireSameExtent(files, from, to)
  } finally {
    await Promise.all(files.map((file) => file.close()))
  }
}

/** A restore that gave something else than was backed up: no figure of it counts. */
export class WrongBytes extends Error {}

/**
 * @param {string} path
 * @param {import('node:fs').Stats} stats
 * @returns {[number, number][]}
 */
function dataExtents(path, stats) {
  if (stats.blocks * 512 >= stats.size) return stats.size === 0 ? [] : [[0, stats.size]]
  const lines = execFileSync('/usr/bin/python3', ['-c', findData, path], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => /** @type {[number, number]} */ (line.split(' ').map(Number)))
}

/** @param {[number, number][]} extents */
function merged(extents) {
  /** @type {[number, number][]} */
  const runs = []
  for (const [from, to] of extents.sort((a, b) => a[0] - b[0])) {
    const last = runs.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else runs.push([from, to])
  }
  return runs
}

/**
 * @param {import('node:fs/promises').FileHandle[]} files
 * @param {number} from
 * @param {number} to
 */
async function requireSameExtent(files, from, to) {
  const buffers = files.map(() => Buffer.alloc(Math.min(pieceBytes, to - from)))
  for (let at = from; at < to; at += pieceBytes) {
    const lengthBytes = Math.min(pieceBytes, to - at)
    const pieces = await Promise.all(
      files.map(async (file, index) => {
        const buffer = /** @type {Buffer} */ (buffers[index])
        let filled = 0
        while (filled < lengthBytes) {
          const { bytesRead } = await file.read(buffer, filled, lengthBytes - filled, at + filled)
          if (bytesRead === 0)
            throw new WrongBytes(`A file ended at byte ${at + filled} while it was compared.`)
          filled += bytesRead
        }
        return buffer.subarray(0, lengthBytes)
      }),
    )
    const [expected, actual] = /** @type {[Buffer, Buffer]} */ (pieces)
    if (!expected.equals(actual)) throw new WrongBytes(`The restored volume differs after byte ${at}.`)
  }
}
