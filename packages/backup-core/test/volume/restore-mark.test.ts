import { spawn, spawnSync } from 'node:child_process'
import { readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { fileVolume } from '../../src/volume/file-volume.js'
import { markPathOf, ownIdentity, readMark, type MarkContent } from '../../src/volume/restore-mark.js'
import type { OpenTarget, TargetRequirements } from '../../src/contracts/volume.js'
import { expectCode, pattern, useTemporaryDirectory, whole } from './support.js'

const inDirectory = useTemporaryDirectory()
const overwrite = (more: Partial<TargetRequirements> = {}): TargetRequirements =>
  whole(100, { overwrite: true, backupId: 'backup-1', ...more })

/** A file that holds something, and its path. */
async function oldFile(): Promise<string> {
  const path = inDirectory('old.img')
  await writeFile(path, pattern(100))
  return path
}

/** Leaves a mark as another process would. */
async function leaveMark(path: string, more: Partial<MarkContent> = {}): Promise<void> {
  const mark: MarkContent = {
    ...(await ownIdentity()),
    token: '0b0a9c3e-6d0f-4d1e-8f6b-2a3c4d5e6f70',
    state: 'restoring',
    backupId: 'backup-0',
    startedAt: '2026-01-01T00:00:00.000Z',
    startBytes: 0,
    endBytes: 100,
    ...more,
  }
  await writeFile(markPathOf(path), JSON.stringify(mark))
}

/** The number of a process that has ended. */
function deadPid(): number {
  return spawnSync('true').pid
}

async function complete(target: OpenTarget, bytes: Uint8Array): Promise<void> {
  await target.write(bytes, 0)
  await target.finish()
  await target.close()
}

describe('a file that a restore writes in place', () => {
  it('has a mark beside it until it is whole, which names the backup and the process', async () => {
    const path = await oldFile()
    const target = await fileVolume(path).openTarget(overwrite())
    expect(await readMark(path)).toMatchObject({
      host: hostname(),
      pid: process.pid,
      backupId: 'backup-1',
      state: 'restoring',
    })
    expect((await readdir(inDirectory())).sort()).toEqual(['.old.img.stowage-restoring', 'old.img'])
    await complete(target, pattern(100, 2))
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('is refused to a second restore while the first one runs, also through a link, and also when it was empty', async () => {
    for (const content of [pattern(100), Buffer.alloc(0)]) {
      const path = inDirectory('old.img')
      await writeFile(path, content)
      await rm(inDirectory('link'), { force: true })
      await symlink('old.img', inDirectory('link'))
      const target = await fileVolume(path).openTarget(overwrite())
      for (const other of [path, inDirectory('link')]) {
        const error = await expectCode(fileVolume(other).openTarget(overwrite()), 'TARGET_BUSY')
        expect(error.message).toContain(`by process ${process.pid}`)
      }
      await complete(target, pattern(100, 2))
      expect(await readFile(path)).toEqual(pattern(100, 2))
      await complete(await fileVolume(path).openTarget(overwrite()), pattern(100, 3))
    }
  })

  it('lets exactly one of many concurrent restores in, with or without a mark of a dead one', async () => {
    const path = await oldFile()
    for (const hasDeadMark of [false, true]) {
      if (hasDeadMark) await leaveMark(path, { pid: deadPid() })
      const opened = await Promise.allSettled(
        Array.from({ length: 20 }, () => fileVolume(path).openTarget(overwrite())),
      )
      const won = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      expect(won).toHaveLength(1)
      for (const one of opened) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'TARGET_BUSY' })
      }
      await complete(won[0]!, pattern(100, 2))
      expect(await readdir(inDirectory())).toEqual(['old.img'])
    }
  })

  it('keeps its mark when the restore failed after it wrote, and is no longer locked', async () => {
    const path = await oldFile()
    const target = await fileVolume(path).openTarget(overwrite())
    await target.write(pattern(10, 2), 0)
    await target.close()
    await target.discard?.()
    expect(await readMark(path)).toMatchObject({ state: 'failed' })
    const warnings: string[] = []
    const again = await fileVolume(path).openTarget(overwrite({ warn: (code) => void warnings.push(code) }))
    expect(warnings).toEqual(['RESTORE_INCOMPLETE'])
    await complete(again, pattern(100, 3))
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('has no mark left when the restore failed before it wrote', async () => {
    const path = await oldFile()
    const target = await fileVolume(path).openTarget(overwrite())
    await target.close()
    await target.discard?.()
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('is empty and without a mark again after a failure when it was empty', async () => {
    const path = inDirectory('old.img')
    await writeFile(path, '')
    const target = await fileVolume(path).openTarget(overwrite())
    await target.write(pattern(10), 0)
    await target.close()
    await target.discard?.()
    expect(await readdir(inDirectory())).toEqual(['old.img'])
    expect(await readFile(path)).toHaveLength(0)
  })
})

describe('a mark that another restore left', () => {
  it('of a process that runs is refused', async () => {
    const path = await oldFile()
    const child = spawn('sleep', ['600'])
    try {
      await leaveMark(path, { pid: child.pid!, started: '' })
      await expectCode(fileVolume(path).openTarget(overwrite()), 'TARGET_BUSY')
    } finally {
      child.kill()
    }
    expect(await readFile(path)).toEqual(pattern(100))
  })

  it.each([
    ['a dead process', { pid: deadPid() }],
    ['a process whose number another one has by now', { pid: process.pid, started: '1' }],
    ['a failed restore', { state: 'failed' as const, host: 'elsewhere' }],
  ])('of %s is taken over with a warning', async (_what, more) => {
    const path = await oldFile()
    await leaveMark(path, more)
    const warnings: string[] = []
    const target = await fileVolume(path).openTarget(
      overwrite({ warn: (code, message) => void warnings.push(`${code} ${message}`) }),
    )
    expect(warnings).toEqual([
      expect.stringContaining('RESTORE_INCOMPLETE An earlier restore of backup backup-0'),
    ])
    await complete(target, pattern(100, 2))
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('of another machine, or of no known origin, is refused, and the error says what to remove', async () => {
    const path = await oldFile()
    const unreadable = (): Promise<void> => writeFile(markPathOf(path), '{"cut sho')
    for (const leave of [() => leaveMark(path, { host: 'elsewhere' }), unreadable]) {
      await leave()
      const error = await expectCode(fileVolume(path).openTarget(overwrite()), 'TARGET_BUSY')
      expect(error.message).toContain(`remove ${markPathOf(path)}`)
    }
    expect(await readFile(path)).toEqual(pattern(100))
  })

  it('is not cleared by a restore of a part that leaves some of the unfinished bytes', async () => {
    const path = await oldFile()
    await leaveMark(path, { pid: deadPid(), startBytes: 10, endBytes: 60 })
    const part = (startBytes: number, endBytes: number): TargetRequirements =>
      overwrite({ partial: true, startBytes, endBytes })
    for (const [start, end] of [
      [11, 60],
      [10, 59],
    ] as const) {
      const error = await expectCode(fileVolume(path).openTarget(part(start, end)), 'TARGET_BUSY')
      expect(error.message).toContain('is not whole')
    }
    await complete(await fileVolume(path).openTarget(part(10, 60)), pattern(10))
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('keeps the file from being backed up', async () => {
    const path = await oldFile()
    await leaveMark(path, { pid: deadPid() })
    const error = await expectCode(fileVolume(path).openSource(), 'SOURCE_INCOMPLETE')
    expect(error.message).toContain(`remove ${markPathOf(path)}`)
    await rm(markPathOf(path))
    await (await fileVolume(path).openSource()).close()
  })

  it('of a file that is gone goes when the file is made anew, unless its restore still runs', async () => {
    const path = inDirectory('gone.img')
    await leaveMark(path)
    await expectCode(fileVolume(path).openTarget(overwrite()), 'TARGET_BUSY')
    await leaveMark(path, { pid: deadPid() })
    await complete(await fileVolume(path).openTarget(overwrite()), pattern(100))
    expect(await readdir(inDirectory())).toEqual(['gone.img'])
  })
})

it('a name as long as names can be has a mark too, and two such names have two', () => {
  const names = ['a', 'b'].map((last) => `${'ä'.repeat(126)}${last}`)
  const marks = names.map((name) => markPathOf(inDirectory(name)))
  for (const mark of marks) expect(Buffer.byteLength(mark) - inDirectory('').length).toBeLessThanOrEqual(255)
  expect(new Set(marks).size).toBe(2)
})
