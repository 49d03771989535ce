import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { hashParts, md5Of, ChunkHasher } from '../../src/hash/chunk-hasher.js'
import { startHashWorkers } from '../../src/hash/hash-pool.js'

// From then on shared memory is hashed in workers, and other memory on the main thread.
startHashWorkers()

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

const isZeros = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

const hex = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest('hex')

it('hashes blocks and chunk alike in a worker and on the main thread, a short last block included', async () => {
  const bytes = randomBytes(1_000_003)
  const blockSizeBytes = 65_536
  const wanted = Array.from({ length: 16 }, (_, index) =>
    hex('sha256', bytes.subarray(index * blockSizeBytes, (index + 1) * blockSizeBytes)),
  )
  for (const input of [bytes, shared(bytes)]) {
    const { sha256s, md5 } = await hashParts({ parts: [input], blockSizeBytes, md5: true })
    expect(Buffer.from(sha256s ?? []).toString('hex')).toBe(wanted.join(''))
    expect(md5).toBe(hex('md5', bytes))
  }
})

it('answers concurrent calls, each with its own result', async () => {
  const inputs = Array.from({ length: 20 }, () => randomBytes(300_000))
  const answers = await Promise.all(
    inputs.map((bytes) => hashParts({ parts: [shared(bytes)], blockSizeBytes: 0, md5: true })),
  )
  expect(answers.map(({ md5 }) => md5)).toEqual(inputs.map((bytes) => hex('md5', bytes)))
})

it('knows the hashes of zeros, of whole and short blocks and of chunks that are zero but for one byte', async () => {
  const blockSizeBytes = 32_768
  const almost = new Uint8Array(500_001)
  almost[499_999] = 1
  for (const bytes of [new Uint8Array(500_001), new Uint8Array(500_001), almost, new Uint8Array(200_000)]) {
    const { sha256s, md5 } = await hashParts({ parts: [shared(bytes)], blockSizeBytes, md5: true })
    const wanted = Array.from({ length: Math.ceil(bytes.length / blockSizeBytes) }, (_, index) =>
      hex('sha256', bytes.subarray(index * blockSizeBytes, (index + 1) * blockSizeBytes)),
    )
    expect(Buffer.from(sha256s ?? []).toString('hex')).toBe(wanted.join(''))
    expect(md5).toBe(hex('md5', bytes))
  }
})

it('hashes parts as if they were one, in a worker and on the main thread', async () => {
  const bytes = randomBytes(700_001)
  const blockSizeBytes = 4_096
  const cuts = [0, 20 * blockSizeBytes, 20 * blockSizeBytes, 21 * blockSizeBytes, bytes.length]
  const views = (whole: Uint8Array): Uint8Array[] =>
    cuts.slice(1).map((end, index) => whole.subarray(cuts[index], end))
  const whole = await hashParts({ parts: [bytes], blockSizeBytes, md5: true })
  for (const input of [bytes, shared(bytes)]) {
    const { sha256s, md5 } = await hashParts({ parts: views(input), blockSizeBytes, md5: true })
    expect(md5).toBe(hex('md5', bytes))
    expect(Buffer.from(sha256s ?? []).equals(Buffer.from(whole.sha256s ?? []))).toBe(true)
    expect(await md5Of(views(input))).toBe(hex('md5', bytes))
  }
})

it('hashes what is known to be zeros as it hashes zeros, between pieces of data too', async () => {
  const blockSizeBytes = 4_096
  const data = randomBytes(200_000 - (200_000 % blockSizeBytes))
  const zeros = new Uint8Array(100 * blockSizeBytes)
  const last = new Uint8Array(50 * blockSizeBytes + 7)
  for (const move of [shared, (bytes: Uint8Array) => bytes]) {
    const [informed, uninformed] = [new ChunkHasher(blockSizeBytes), new ChunkHasher(blockSizeBytes)]
    for (const pieces of [
      [zeros, data, zeros, last],
      [zeros, last],
      [data, zeros],
    ]) {
      const asked = pieces.map((piece) => informed.add(move(piece), isZeros(piece)))
      const wanted = pieces.map((piece) => uninformed.add(move(piece)))
      expect(await Promise.all(asked)).toEqual(await Promise.all(wanted))
      expect(await informed.end()).toBe(await uninformed.end())
    }
    const job = { parts: [move(zeros), move(last)], blockSizeBytes, md5: true }
    expect(await hashParts({ ...job, knownZeros: true })).toEqual(await hashParts(job))
  }
})

it('tells whether all parts are zeros, with block hashes and without', async () => {
  const zeros = new Uint8Array(300_000)
  const almost = zeros.slice()
  almost[299_999] = 1
  for (const move of [shared, (bytes: Uint8Array) => bytes]) {
    for (const blockSizeBytes of [0, 4_096]) {
      const zero = async (parts: Uint8Array[]): Promise<boolean> =>
        (await hashParts({ parts: parts.map(move), blockSizeBytes, md5: true })).allZero
      expect(await zero([zeros])).toBe(true)
      expect(await zero([almost])).toBe(false)
      expect(await zero([zeros.subarray(0, 65_536), almost])).toBe(false)
    }
  }
})

it('sums a chunk in pieces as if it were one, zeros before, between and after data included', async () => {
  const blockSizeBytes = 4_096
  const random = (blocks: number): Uint8Array => randomBytes(blocks * blockSizeBytes)
  const zeros = (blocks: number): Uint8Array => new Uint8Array(blocks * blockSizeBytes)
  const chunks = [
    [random(100), random(100), random(3)],
    [zeros(100), zeros(60), random(100), zeros(100)],
    [zeros(100), zeros(100)],
    [zeros(100), zeros(100), randomBytes(5)],
    [random(1), random(200)],
    [random(200), randomBytes(1)],
    [],
  ]
  for (const move of [shared, (bytes: Uint8Array) => bytes]) {
    const hasher = new ChunkHasher(blockSizeBytes)
    // Nothing is awaited between the calls: a chunk begins while the one before is under way.
    const asked = chunks.map((pieces) => ({
      pieces,
      hashes: Promise.all(pieces.map((piece) => hasher.add(move(piece)))),
      md5: hasher.end(),
    }))
    for (const { pieces, hashes, md5 } of asked) {
      const whole = Buffer.concat(pieces)
      const sha256s = (await hashes).map((hashed) => hashed.sha256s)
      expect((await hashes).map(({ allZero }) => allZero)).toEqual(pieces.map(isZeros))
      const { sha256s: wanted } = await hashParts({ parts: [whole], blockSizeBytes, md5: false })
      expect(Buffer.concat(sha256s).toString('hex')).toBe(Buffer.from(wanted ?? []).toString('hex'))
      expect(await md5).toBe(hex('md5', whole))
    }
  }
})
