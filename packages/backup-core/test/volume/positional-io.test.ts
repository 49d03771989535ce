import { open, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readFully, writeFully } from '../../src/volume/positional-io.js'
import { limitFileSize } from '../../../../test-fixtures/limits/file-size-limit.js'
import { expectCode, pattern, useTemporaryDirectory } from './support.js'

const inDirectory = useTemporaryDirectory()

describe.runIf(process.platform === 'linux')('reading and writing at an offset, on Linux', () => {
  it('reports an input/output error with its offset and what to check', async () => {
    // Nothing is mapped at the first page of any process, and the kernel answers a read of it with EIO.
    const handle = await open('/proc/self/mem', 'r')
    try {
      const read = readFully(handle, Buffer.alloc(16), { path: '/dev/sdx', offsetBytes: 8 })
      const error = await expectCode(read, 'SOURCE_READ')
      expect(error.message).toContain('/dev/sdx at byte 8')
      expect(error.message).toContain('smartctl')
      expect(error.details.offsetBytes).toBe(8)
      expect(error.cause).toMatchObject({ code: 'EIO' })
    } finally {
      await handle.close()
    }
  })

  it('reports a full disk', async () => {
    const handle = await open('/dev/full', 'w')
    try {
      const error = await expectCode(writeFully(handle, pattern(10), '/dev/full', 4096), 'NO_SPACE')
      expect(error.details.offsetBytes).toBe(4096)
      expect(error.cause).toMatchObject({ code: 'ENOSPC' })
    } finally {
      await handle.close()
    }
  })

  it('continues after a short write, and reports the next error', async () => {
    const path = inDirectory('limited.img')
    const handle = await open(path, 'w')
    const lift = limitFileSize(1000)
    try {
      const error = await expectCode(writeFully(handle, pattern(400), path, 700), 'TARGET_TOO_SMALL')
      expect(error.details.offsetBytes).toBe(1000)
      expect(error.cause).toMatchObject({ code: 'EFBIG' })
    } finally {
      lift()
      await handle.close()
    }
    expect((await readFile(path)).subarray(700)).toEqual(pattern(400).subarray(0, 300))
  })

  it('reports any other error as TARGET_WRITE, with its cause', async () => {
    const path = inDirectory('read-only.img')
    await writeFile(path, '')
    const handle = await open(path, 'r')
    try {
      const error = await expectCode(writeFully(handle, pattern(10), path, 0), 'TARGET_WRITE')
      expect(error.cause).toMatchObject({ code: 'EBADF' })
    } finally {
      await handle.close()
    }
  })
})
