// One of our engines on one file, as a backup uses it: chunks in memory that workers can read, as many at once as there
// are cores, results in memory that is used again. Prints one line of JSON.
//
//   node own-engine.mjs compress|decompress ENGINE FROM TO CHUNK_SIZE MOST_BYTES
//
// `compress` reads a volume and leaves its chunks in the directory TO; `decompress` reads them from the directory FROM,
// and leaves the volume in TO, or nothing where TO is `-`. The clock runs from the first call to the last answer, after
// a chunk for each core that does not count: the start of workers and fresh memory are behind.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { loadVolume } from '../limits/load-volume.mjs'
import { ownEngines } from './own-engines.mjs'

const [mode, name = '', from = '', to = '-', chunkSize, mostBytes] = process.argv.slice(2)
const compressor = await ownEngines.get(name)?.()
if (compressor === undefined) throw new Error(`no engine is called ${name}`)

const shared = (/** @type {number} */ length) => new Uint8Array(new SharedArrayBuffer(length))
/** @type {Uint8Array[]} */
const inputs = []
/** @type {number[]} */
const rawLengths = []
if (mode === 'compress') {
  const volume = loadVolume(from).subarray(0, Number(mostBytes))
  for (let at = 0; at < volume.length; at += Number(chunkSize)) {
    const chunk = volume.subarray(at, at + Number(chunkSize))
    inputs.push(chunk)
    rawLengths.push(chunk.length)
  }
} else {
  for (const file of readdirSync(from).sort()) {
    const [, length] = /\.(\d+)$/.exec(file) ?? []
    const bytes = readFileSync(join(from, file))
    const chunk = shared(bytes.length)
    chunk.set(bytes)
    inputs.push(chunk)
    rawLengths.push(Number(length))
  }
}

/** @type {Uint8Array[]} */
const buffers = []
/** @type {Uint8Array[]} */
const results = []
const work = async (/** @type {number} */ index) => {
  const input = /** @type {Uint8Array} */ (inputs[index])
  const rawLength = /** @type {number} */ (rawLengths[index])
  // What is kept for the check is kept out of the buffers that go round.
  const buffer = to === '-' ? (buffers.pop() ?? shared(rawLength)) : shared(rawLength)
  results[index] =
    mode === 'compress'
      ? // What does not shrink is stored as it is, as a backup does.
        ((await compressor.compress(input, { buffer })) ?? input)
      : input.length === rawLength
        ? input
        : await compressor.decompress(input, rawLength, { buffer })
  if (to === '-') buffers.push(buffer)
}
// A backup has far more chunks than this has: what the first ones pay for is not to be paid for by a handful.
if (to === '-')
  await inParallel(availableParallelism(), Math.min(availableParallelism(), inputs.length), work)
const started = performance.now()
await inParallel(availableParallelism(), inputs.length, work)
const seconds = (performance.now() - started) / 1000

const lengthBytes = results.reduce((sum, { length }) => sum + length, 0)
if (to !== '-') {
  for (const [index, result] of results.entries()) {
    const file = mode === 'compress' ? join(to, `${String(index).padStart(3, '0')}.${rawLengths[index]}`) : to
    writeFileSync(file, result, { flag: mode === 'compress' ? 'w' : 'a' })
  }
}
console.log(JSON.stringify({ seconds, rawBytes: rawLengths.reduce((sum, n) => sum + n, 0), lengthBytes }))

/**
 * @param {number} atOnce
 * @param {number} count
 * @param {(index: number) => Promise<void>} work
 */
async function inParallel(atOnce, count, work) {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
