import { spawn, spawnSync } from 'node:child_process'
import { readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { fileVolume } from '../../src/volume/file-volume.js'
import { markPathOf, readRestoreMark, type MarkContent } from '../../src/volume/restore-mark.js'
import { processIdentity } from '../../src/volume/restore-process.js'
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

it('is that of a failed restore where the file cannot be closed, so that the next restore can begin', async () => {
  const path = await oldFile()
  const volume = fileVolume(path)
  const target = await volume.openTarget(overwrite())
  await target.write(pattern(10), 0)
  const { handle } = target as unknown as { readonly handle: { close(): Promise<void> } }
  const close = handle.close.bind(handle)
  handle.close = async () => {
    await close()
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  }
  await expectCode(target.close(), 'TARGET_WRITE')
  expect((await readRestoreMark(path))?.state).toBe('failed')
  const next = await volume.openTarget(overwrite())
  await next.finish()
  await next.close()
})

interface OtherProcess {
  readonly pid?: number
  readonly started?: string
  readonly isElsewhere?: boolean
}

/** The note of another process; of this one by default. */
async function ownerOf({ pid, started, isElsewhere = false }: OtherProcess): Promise<string> {
  const [digests = '', ownPid, ownStart] = (await processIdentity()).split('-')
  const place = isElsewhere ? `00000000${digests.slice(8)}` : digests
  return [place, pid ?? ownPid, started ?? ownStart].join('-')
}

/** Leaves a mark as another process would. */
async function leaveMark(
  path: string,
  other: OtherProcess = {},
  more: Partial<MarkContent> = {},
): Promise<void> {
  const mark: MarkContent = {
    owner: await ownerOf(other),
    host: hostname(),
    pid: other.pid ?? process.pid,
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

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync('true').pid
}

async function complete(target: OpenTarget, bytes: Uint8Array): Promise<void> {
  await target.write(bytes, 0)
  await target.finish()
  await target.close()
}

describe('a file that a restore writes in place', () => {
  it('has a mark with the backup and the process beside it until it is complete', async () => {
    const path = await oldFile()
    const target = await fileVolume(path).openTarget(overwrite())
    expect(await readRestoreMark(path)).toMatchObject({
      host: hostname(),
      pid: process.pid,
      backupId: 'backup-1',
      state: 'restoring',
    })
    expect((await readdir(inDirectory())).sort()).toEqual(['.old.img.stowage-restoring', 'old.img'])
    await complete(target, pattern(100, 2))
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('refuses a second restore while the first one runs, also through a link, and when it was empty', async () => {
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

  it('accepts exactly one of many concurrent restores, with or without a mark of a dead one', async () => {
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

  it('keeps its mark, but not the lock, when the restore failed after a write', async () => {
    const path = await oldFile()
    const target = await fileVolume(path).openTarget(overwrite())
    await target.write(pattern(10, 2), 0)
    await target.close()
    await target.discard?.()
    expect(await readRestoreMark(path)).toMatchObject({ state: 'failed' })
    const warnings: string[] = []
    const again = await fileVolume(path).openTarget(overwrite({ warn: (code) => void warnings.push(code) }))
    expect(warnings).toEqual(['RESTORE_INCOMPLETE'])
    await complete(again, pattern(100, 3))
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('has no mark when the restore failed before a write', async () => {
    const path = await oldFile()
    const target = await fileVolume(path).openTarget(overwrite())
    await target.close()
    await target.discard?.()
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('that was empty is empty and without a mark again after a failure', async () => {
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
  it('of a running process refuses the restore', async () => {
    const path = await oldFile()
    const child = spawn('sleep', ['600'])
    try {
      await leaveMark(path, { pid: child.pid!, started: '0' })
      await expectCode(fileVolume(path).openTarget(overwrite()), 'TARGET_BUSY')
    } finally {
      child.kill()
    }
    expect(await readFile(path)).toEqual(pattern(100))
  })

  it.each([
    ['a dead process', { pid: deadPid() }, {}],
    ['a process whose id was reused', { started: '1' }, {}],
    ['a failed restore', { isElsewhere: true }, { state: 'failed' as const }],
  ])('of %s is taken over with a warning', async (_what, other, more) => {
    const path = await oldFile()
    await leaveMark(path, other, more)
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

  it('of another machine, or that cannot be read, refuses the restore with what to remove', async () => {
    const path = await oldFile()
    const unreadable = (text: string): Promise<void> => writeFile(markPathOf(path), text)
    for (const leave of [
      () => leaveMark(path, { isElsewhere: true }),
      () => unreadable('{"cut sho'),
      () => unreadable('null'),
    ]) {
      await leave()
      const error = await expectCode(fileVolume(path).openTarget(overwrite()), 'TARGET_BUSY')
      expect(error.message).toContain(`remove ${markPathOf(path)}`)
    }
    expect(await readFile(path)).toEqual(pattern(100))
  })

  it('that is a dangling link refuses the restore with what to remove', async () => {
    const path = await oldFile()
    await symlink('nowhere', markPathOf(path))
    const error = await expectCode(fileVolume(path).openTarget(overwrite()), 'TARGET_BUSY')
    expect(error.message).toContain(`${markPathOf(path)} exists and cannot be read. Remove it`)
  })

  it('is not cleared by a restore of a part that leaves out some of the unfinished bytes', async () => {
    const path = await oldFile()
    await leaveMark(path, { pid: deadPid() }, { startBytes: 10, endBytes: 60 })
    const part = (startBytes: number, endBytes: number): TargetRequirements =>
      overwrite({ partial: true, startBytes, endBytes })
    for (const [start, end] of [
      [11, 60],
      [10, 59],
    ] as const) {
      const error = await expectCode(fileVolume(path).openTarget(part(start, end)), 'TARGET_BUSY')
      expect(error.message).toContain('is incomplete')
    }
    await complete(await fileVolume(path).openTarget(part(10, 60)), pattern(10))
    expect(await readdir(inDirectory())).toEqual(['old.img'])
  })

  it('refuses a backup of the file', async () => {
    const path = await oldFile()
    await leaveMark(path, { pid: deadPid() })
    const error = await expectCode(fileVolume(path).openSource(), 'SOURCE_INCOMPLETE')
    expect(error.message).toContain(`remove ${markPathOf(path)}`)
    await rm(markPathOf(path))
    await (await fileVolume(path).openSource()).close()
  })

  it('of a removed file is removed when the file is created again, unless its restore still runs', async () => {
    const path = inDirectory('gone.img')
    await leaveMark(path)
    await expectCode(fileVolume(path).openTarget(overwrite()), 'TARGET_BUSY')
    await leaveMark(path, { pid: deadPid() })
    await complete(await fileVolume(path).openTarget(overwrite()), pattern(100))
    expect(await readdir(inDirectory())).toEqual(['gone.img'])
  })
})

it('two names of the maximum length have two marks of a valid length', () => {
  const names = ['a', 'b'].map((last) => `${'ä'.repeat(126)}${last}`)
  const marks = names.map((name) => markPathOf(inDirectory(name)))
  for (const mark of marks) expect(Buffer.byteLength(mark) - inDirectory('').length).toBeLessThanOrEqual(255)
  expect(new Set(marks).size).toBe(2)
})
