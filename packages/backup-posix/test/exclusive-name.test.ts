import { isBackupError } from '@stowage/backup-core'
import { createHash } from 'node:crypto'
import { link, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Link } from '../src/exclusive-name.js'
import { PosixObjectWriter } from '../src/object-writer.js'
import { expectCode, temporaryDirectory } from './temporary-store.js'

const fails =
  (code: string): Link =>
  () =>
    Promise.reject(Object.assign(new Error(code), { code }))

/** Links, and loses the answer: the repeated call finds the name taken, or the server says no more. */
const linksAndFails =
  (code: string): Link =>
  async (existing, name) => {
    await link(existing, name)
    throw Object.assign(new Error(code), { code })
  }

async function write(
  directory: string,
  text: string,
  useLink: Link | undefined,
  objectName = 'x',
): Promise<void> {
  const mode = { fsync: false, exclusive: true, ...(useLink && { link: useLink }) }
  const writer = await PosixObjectWriter.open({ directory, container: 'c', objectName }, mode)
  try {
    await writer.write(Buffer.from(text))
    await writer.close()
  } catch (error) {
    await writer.abort()
    throw error
  }
}

const ways: Readonly<Record<string, Link | undefined>> = {
  'with hard links': undefined,
  'where links are EPERM': fails('EPERM'),
  'where links are ENOTSUP': fails('ENOTSUP'),
  'where links are EOPNOTSUPP': fails('EOPNOTSUPP'),
  'where links are ENOSYS': fails('ENOSYS'),
  'where links are EMLINK': fails('EMLINK'),
}

describe('an exclusive writer (point 2)', () => {
  for (const [way, useLink] of Object.entries(ways)) {
    it(`writes one object and nothing beside it ${way}`, async () => {
      const directory = await temporaryDirectory()
      await write(directory, 'text', useLink)
      expect(await readdir(directory)).toEqual(['x'])
      expect(await readFile(join(directory, 'x'), 'utf8')).toBe('text')
    })

    it(`leaves what has the name as it is ${way}: CONFLICT`, async () => {
      const directory = await temporaryDirectory()
      await write(directory, 'first', useLink)
      await expectCode('CONFLICT', write(directory, 'second', useLink))
      await mkdir(join(directory, 'directory'))
      await expectCode('CONFLICT', write(directory, 'second', useLink, 'directory'))
      await symlink('/nowhere/at/all', join(directory, 'link'))
      await expectCode('CONFLICT', write(directory, 'second', useLink, 'link'))
      expect(await readFile(join(directory, 'x'), 'utf8')).toBe('first')
      expect((await readdir(directory)).sort()).toEqual(['directory', 'link', 'x'])
    })

    it(`is one of many that write the name at once ${way}, and no reader sees a part`, async () => {
      const directory = await temporaryDirectory()
      const texts = Array.from({ length: 16 }, (_, n) => String.fromCharCode(97 + n).repeat(10_000))
      const state = { writing: true }
      const readers = (async (): Promise<void> => {
        while (state.writing) {
          const text = await readFile(join(directory, 'x'), 'utf8').catch(() => undefined)
          if (text !== undefined) expect(texts).toContain(text)
        }
      })()
      const results = await Promise.allSettled(texts.map((text) => write(directory, text, useLink)))
      state.writing = false
      await readers
      const written = texts.filter((_, n) => results[n]?.status === 'fulfilled')
      expect(written).toEqual([await readFile(join(directory, 'x'), 'utf8')])
      for (const result of results) {
        if (result.status === 'rejected') expect(isBackupError(result.reason, 'CONFLICT')).toBe(true)
      }
      expect(await readdir(directory)).toEqual(['x'])
    })
  }

  it('takes a link whose answer was lost for its own', async () => {
    for (const code of ['EEXIST', 'EIO', 'ETIMEDOUT']) {
      const directory = await temporaryDirectory()
      await write(directory, 'text', linksAndFails(code))
      expect(await readdir(directory)).toEqual(['x'])
    }
  })

  it('fails where linking fails, and leaves nothing', async () => {
    const directory = await temporaryDirectory()
    await expectCode('NO_SPACE', write(directory, 'text', fails('ENOSPC')))
    await expectCode('STORE_FAILED', write(directory, 'text', fails('EIO')))
    expect(await readdir(directory)).toEqual([])
  })

  it('names the lock that a killed program left', async () => {
    const directory = await temporaryDirectory()
    const digest = createHash('sha256').update('x').digest('hex').slice(0, 32)
    const lock = join(directory, `.stowage-${digest}.lock`)
    await writeFile(lock, '')
    await expectCode('CONFLICT', write(directory, 'text', fails('EPERM')))
    await expect(write(directory, 'text', fails('EPERM'))).rejects.toThrow(lock)
    expect(await readdir(directory)).toEqual([basename(lock)])
  })

  it('takes the longest name', async () => {
    const directory = await temporaryDirectory()
    await write(directory, 'text', fails('EPERM'), 'x'.repeat(255))
    expect(await readdir(directory)).toEqual(['x'.repeat(255)])
  })
})
