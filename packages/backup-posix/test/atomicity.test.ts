import fc from 'fast-check'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isBackupError } from '@stowage/backup-core'
import { canLimitFileSize, limitFileSize } from '../../../test-fixtures/limits/file-size-limit.js'
import { everything, expectCode, object, put, temporaryDirectory, temporaryStore } from './temporary-store.js'

describe('a replaced object', () => {
  it('is read whole by a reader that was open before', async () => {
    const { driver } = await temporaryStore()
    await driver.putContainer('c', {})
    await put(driver, 'c', 'x', 'the old text')
    const reader = await driver.getObjectReader('c', 'x', object)
    onTestFinished(() => reader.close())
    await put(driver, 'c', 'x', 'new')
    expect(Buffer.from(await reader.read()).toString()).toBe('the old text')
  })

  it('is at every moment one of the two, whole', async () => {
    const { driver } = await temporaryStore({ fsync: false })
    await driver.putContainer('c', {})
    const texts = ['a'.repeat(100_000), 'b'.repeat(50_000)]
    await put(driver, 'c', 'x', texts[0]!)
    let writing = true
    const write = async (): Promise<void> => {
      for (let n = 0; n < 50; n++) await put(driver, 'c', 'x', texts[n % 2]!)
      writing = false
    }
    const read = async (): Promise<number> => {
      let reads = 0
      for (; writing; reads++) {
        const reader = await driver.getObjectReader('c', 'x', object)
        expect(texts).toContain(Buffer.from(await reader.read().finally(() => reader.close())).toString())
      }
      return reads
    }
    const [, reads] = await Promise.all([write(), read()])
    expect(reads).toBeGreaterThan(0)
  })
})

describe.skipIf(!canLimitFileSize)('a file that the system cuts short', () => {
  it('does not become an object: its writer rejects with QUOTA_EXCEEDED, and abort leaves nothing', async () => {
    const { driver, path } = await temporaryStore()
    await driver.putContainer('c', {})
    const writer = await driver.getObjectWriter('c', 'x', object)
    limitFileSize(65_536)
    // The first system call takes 65,536 bytes and reports no error.
    await expectCode('QUOTA_EXCEEDED', writer.write(Buffer.alloc(100_000)))
    await writer.abort()
    expect(await everything(path)).toEqual(['c'])
  })

  it('ends the backup, which leaves nothing and no container', async () => {
    const { driver, path } = await temporaryStore({ chunkSizeBytes: 131_072 })
    limitFileSize(65_536)
    await expectCode('QUOTA_EXCEEDED', driver.backup({ volumeId: 'v' }, Buffer.alloc(500_000, 1)))
    expect(await everything(path)).toEqual([])
  })
})

describe('any name', () => {
  it('is refused with OPTION_INVALID, or stays inside of the root', async () => {
    const outside = await temporaryDirectory()
    await writeFile(join(outside, 'precious'), '')
    const { driver } = await temporaryStore({ path: join(outside, 'root'), fsync: false })
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '', '/', '\0', 'precious', 'root'),
      fc.string({ unit: 'binary' }),
    )
    const name = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('/'))
    const law = fc.asyncProperty(name, name, async (container, objectName) => {
      try {
        await driver.putContainer(container, {})
        await put(driver, container, objectName, 'text')
        await driver.deleteObject(container, objectName, {})
      } catch (error) {
        // NOT_A_FILE: a container of an earlier try is where this one has its object, or the other way round.
        if (!isBackupError(error, 'OPTION_INVALID') && !isBackupError(error, 'NOT_A_FILE')) throw error
      }
      const found = (await everything(outside)).filter((path) => path !== 'root' && !path.startsWith('root/'))
      expect(found).toEqual(['precious'])
    })
    await fc.assert(law, { numRuns: 200 })
  })
})
