import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fileVolume } from '../../src/volume/file-volume.js'
import { nameBeside, partialPathOf } from '../../src/volume/restore-process.js'
import { pattern, useTemporaryDirectory, whole } from './support.js'

const inDirectory = useTemporaryDirectory()

/** The parts of a temporary name: machine, boot, namespace, process id, its start, and random digits. */
const parts = /-([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})-([0-9]+)-([0-9]+)-([0-9a-f]{12}\.partial)$/

/** Leaves a temporary file of another process, and returns its name. */
async function leavePartial(
  name: string,
  changes: { readonly [part: number]: string } = {},
): Promise<string> {
  const own = basename(await partialPathOf(inDirectory(name)))
  const changed = own.replace(parts, (_whole, ...found: string[]) => {
    const part = (number: number): string => changes[number] ?? found[number - 1] ?? ''
    return `-${part(1)}${part(2)}${part(3)}-${part(4)}-${part(5)}-${part(6)}`
  })
  // A pid of fewer digits leaves a long name more room.
  const path = inDirectory(nameBeside(name, changed.slice(changed.lastIndexOf('stowage-'))))
  await writeFile(path, 'left')
  return basename(path)
}

/** Restores into a file, and returns what was warned of. */
async function restoreInto(name: string, overwrite = false): Promise<string[]> {
  const warnings: string[] = []
  const warn = (_code: string, message: string): number => warnings.push(message)
  const target = await fileVolume(inDirectory(name)).openTarget(whole(100, { overwrite, warn }))
  await target.write(pattern(100), 0)
  await target.finish()
  await target.close()
  return warnings
}

const deadPid = (): string => String(spawnSync('true').pid)

describe('a temporary file that a killed restore left', () => {
  it.each([
    ['into a new file', false],
    ['into a file that is there', true],
  ])('is removed with a warning by the next restore %s (A8)', async (_what, isThere) => {
    if (isThere) await writeFile(inDirectory('r.img'), 'old')
    const left = await leavePartial('r.img', { 4: deadPid() })
    expect(await restoreInto('r.img', isThere)).toEqual([
      `An earlier restore into ${inDirectory('r.img')} did not finish: its temporary file ${inDirectory(left)} was removed.`,
    ])
    expect(await readdir(inDirectory())).toEqual(['r.img'])
  })

  it.runIf(existsSync('/etc/machine-id'))(
    'is removed after a reboot, and when its pid is reused (A8)',
    async () => {
      await leavePartial('r.img', { 2: '00000000' })
      await leavePartial('r.img', { 5: '1' })
      expect(await restoreInto('r.img')).toHaveLength(2)
      expect(await readdir(inDirectory())).toEqual(['r.img'])
    },
  )

  it('stays without a warning while its process runs (A8)', async () => {
    const child = spawn('sleep', ['1000'])
    onTestFinished(() => void child.kill('SIGKILL'))
    const left = await leavePartial('r.img', { 4: String(child.pid), 5: '0' })
    const own = await leavePartial('r.img')
    expect(await restoreInto('r.img')).toEqual([])
    expect((await readdir(inDirectory())).sort()).toEqual([left, own, 'r.img'].sort())
  })

  it.each([
    ['another machine', { 1: '00000000' }],
    ['this machine in another container', { 3: '00000000' }],
  ])('stays with a warning where its process may run on %s (A8)', async (_what, changes) => {
    const left = await leavePartial('r.img', { ...changes, 4: deadPid() })
    const [warning, ...more] = await restoreInto('r.img')
    expect(warning).toContain(`left ${inDirectory(left)}, or still writes it.`)
    expect(more).toEqual([])
    expect((await readdir(inDirectory())).sort()).toEqual([left, 'r.img'].sort())
  })

  it('stays where its name is that of another target, or not a temporary name (A8)', async () => {
    const others = [
      await leavePartial('other.img', { 4: deadPid() }),
      await leavePartial('r.img.img', { 4: deadPid() }),
      '.r.img.stowage-notes.partial',
    ]
    await writeFile(join(inDirectory(), '.r.img.stowage-notes.partial'), '')
    expect(await restoreInto('r.img')).toEqual([])
    expect((await readdir(inDirectory())).sort()).toEqual([...others, 'r.img'].sort())
  })

  it('is removed under a name that was cut to the maximum length (A8)', async () => {
    const name = 'x'.repeat(250)
    await leavePartial(name, { 4: deadPid() })
    expect(await restoreInto(name)).toHaveLength(1)
    expect(await readdir(inDirectory())).toEqual([name])
  })
})
