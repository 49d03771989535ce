import { spawnSync } from 'node:child_process'
import { open, type FileHandle } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataExtents, HOLE_PROGRAMS, type HoleProgram } from '../../src/volume/file-holes.js'
import { fileVolume } from '../../src/volume/file-volume.js'
import type { VolumeExtent } from '../../src/contracts/volume.js'
import { expectThrown, pattern, useTemporaryDirectory } from './support.js'

const inDirectory = useTemporaryDirectory()
const mebibyte = 1024 * 1024
const sizeBytes = 200 * mebibyte
/** The last one at the end, and none at the start: holes before, between. */
const writes = [3 * mebibyte, 90 * mebibyte + 12_345, sizeBytes - 4_096]
const data = pattern(4_096, 5)

let path: string
let handle: FileHandle

beforeEach(async () => {
  path = inDirectory('sparse.img')
  handle = await open(path, 'w+')
  await handle.truncate(sizeBytes)
  for (const offsetBytes of writes) await handle.write(data, 0, data.length, offsetBytes)
})

afterEach(() => handle.close())

const isThere = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0
const canTell = process.platform === 'linux' && (isThere('perl', '-e', '1') || isThere('python3', '-c', '1'))

async function all(extents: AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>): Promise<VolumeExtent[]> {
  const found: VolumeExtent[] = []
  for await (const extent of extents) found.push(extent)
  return found
}

/** All that was written lies within, and hardly anything else: file systems have blocks of 4 KiB to 1 MiB. */
function expectData(extents: readonly VolumeExtent[]): void {
  for (const offsetBytes of writes) {
    const holds = (extent: VolumeExtent): boolean =>
      extent.offsetBytes <= offsetBytes &&
      extent.offsetBytes + extent.lengthBytes >= offsetBytes + data.length
    expect(extents.some(holds)).toBe(true)
  }
  const totalBytes = extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
  expect(totalBytes).toBeLessThanOrEqual(8 * mebibyte)
}

const program = (...lines: string[]): HoleProgram => [
  process.execPath,
  '-e',
  `process.stdout.write(${JSON.stringify(lines.map((line) => `${line}\n`).join(''))})`,
]
const missing: HoleProgram = ['stowage-has-no-such-program']
const everything = [{ offsetBytes: 0, lengthBytes: sizeBytes }]

describe('the holes of a sparse file', () => {
  it.runIf(canTell)('are reported on this platform', async () => {
    const source = await fileVolume(path).openSource()
    try {
      const extents = source.extents?.()
      expect(extents).toBeDefined()
      expectData(await all(extents ?? []))
    } finally {
      await source.close()
    }
  })

  it.runIf(canTell)('are reported after the last write, and cover a file without data', async () => {
    expectData(await all(dataExtents(handle, sizeBytes)))
    await handle.truncate(0)
    await handle.truncate(sizeBytes)
    expect(await all(dataExtents(handle, sizeBytes))).toEqual([])
  })

  for (const own of HOLE_PROGRAMS) {
    it.runIf(process.platform === 'linux' && isThere(own[0], '--version'))(
      `are reported by ${own[0]} alone`,
      async () => {
        expectData(await all(dataExtents(handle, sizeBytes, { programs: [own] })))
      },
    )
  }

  it('are read without a program that reports them', async () => {
    expect(await all(dataExtents(handle, sizeBytes, { programs: [] }))).toEqual(everything)
    expect(await all(dataExtents(handle, sizeBytes, { programs: [missing, missing] }))).toEqual(everything)
  })

  it('are read where the flush of the file fails, except on a read-only file system', async () => {
    const failing = (code: string): FileHandle =>
      Object.create(handle, {
        fd: { value: handle.fd },
        sync: { value: () => Promise.reject(Object.assign(new Error(code), { code })) },
      }) as FileHandle
    const programs = [program('4096 12288', 'end')]
    for (const code of ['EIO', 'ENOSPC']) {
      expect(await all(dataExtents(failing(code), sizeBytes, { programs }))).toEqual(everything)
    }
    for (const code of ['EINVAL', 'EROFS']) {
      expect(await all(dataExtents(failing(code), sizeBytes, { programs }))).toEqual([
        { offsetBytes: 4096, lengthBytes: 8192 },
      ])
    }
  })

  it('are queried after a flush', async () => {
    let flushed = false
    const watched = Object.create(handle, {
      fd: { value: handle.fd },
      sync: {
        value: async () => {
          await handle.sync()
          flushed = true
        },
      },
    }) as FileHandle
    for await (const extent of dataExtents(watched, sizeBytes, {
      programs: [program('4096 12288', 'end')],
    })) {
      expect([flushed, extent.offsetBytes]).toEqual([true, 4096])
    }
    expect(flushed).toBe(true)
  })

  it('are reported by the next program where one is missing or prints nothing', async () => {
    const told = [{ offsetBytes: 4096, lengthBytes: 8192 }]
    for (const first of [missing, program(), program('perl: no such thing')]) {
      expect(
        await all(dataExtents(handle, sizeBytes, { programs: [first, program('4096 12288', 'end')] })),
      ).toEqual(told)
    }
  })

  it('end where a program fails: all bytes after that are data', async () => {
    const rest = [
      { offsetBytes: 4096, lengthBytes: 4096 },
      { offsetBytes: 8192, lengthBytes: sizeBytes - 8192 },
    ]
    const wrong = [
      [],
      ['8192 8192', 'end'],
      ['4096 12288', 'end'],
      ['-5 12', 'end'],
      ['99999 9999', 'end'],
      ['9000', 'end'],
      ['1e5 2e5', 'end'],
    ]
    for (const lines of wrong) {
      const programs = [program('4096 8192', ...lines), program('end')]
      expect(await all(dataExtents(handle, sizeBytes, { programs }))).toEqual(rest)
    }
  })

  it('stop the program when the list is not read to its end', async () => {
    const endless: HoleProgram = [
      process.execPath,
      '-e',
      `console.log('0 ' + process.pid); setInterval(() => undefined, 1000)`,
    ]
    let pid = 0
    for await (const extent of dataExtents(handle, sizeBytes, { programs: [endless] })) {
      pid = extent.lengthBytes
      expect(process.kill(pid, 0)).toBe(true)
      break
    }
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('are read with the option, and in a file with few of them', async () => {
    const reading = await fileVolume(path, { holes: 'read' }).openSource()
    expect(reading.extents?.()).toBeUndefined()
    await reading.close()
    await handle.truncate(10 * mebibyte)
    const small = await fileVolume(path).openSource()
    expect(small.extents?.()).toBeUndefined()
    await small.close()
  })

  it('have an option that is `skip` or `read`', async () => {
    for (const holes of ['ask', true, 5]) {
      await expectThrown(() => fileVolume('disk.img', { holes: holes as 'skip' }), 'OPTION_INVALID')
    }
  })
})
