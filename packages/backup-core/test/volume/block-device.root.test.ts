import { execFileSync } from 'node:child_process'
import { open, readFile, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { fileVolume } from '../../src/volume/file-volume.js'
import { probeSizeBytes } from '../../src/volume/block-device.js'
import { expectCode, pattern, readAll, useTemporaryDirectory, whole } from './support.js'

/** Loop devices and mounts need root: `npm run test:openstack` asks for these. */
const asRoot = process.env['STOWAGE_TEST_ROOT'] === '1'

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8' }).trim()

interface LoopDevice {
  readonly device: string
  readonly image: string
}

describe.runIf(asRoot)('a real block device', () => {
  const undo: (() => void)[] = []
  const inDirectory = useTemporaryDirectory()
  // Registered after the directory's own, and so run before it.
  afterEach(() => {
    for (const step of undo.splice(0).reverse()) step()
  })

  const loopDevice = (sizeBytes: number, ...options: string[]): LoopDevice => {
    const image = inDirectory(`image-${undo.length}`)
    writeFileSync(image, '')
    truncateSync(image, sizeBytes)
    const device = run('losetup', '--find', '--show', ...options, image)
    undo.push(() => run('losetup', '--detach', device))
    return { device, image }
  }

  const mount = (...args: string[]): string => {
    const mountPoint = inDirectory(`mount-${undo.length}`)
    mkdirSync(mountPoint)
    run('mount', ...args, mountPoint)
    undo.push(() => run('umount', mountPoint))
    return mountPoint
  }
  const mib = 2 ** 20

  it('has its size and its bytes as a source', async () => {
    const { device } = loopDevice(mib + 512)
    const handle = await open(device, 'w')
    await handle.write(pattern(600), 0, 600, mib - 88)
    await handle.close()
    const source = await fileVolume(device).openSource()
    expect(source.sizeBytes).toBe(mib + 512)
    expect((await stat(device)).size).toBe(0)
    const read = await readAll(source, 100_000)
    expect(read.equals(Buffer.concat([Buffer.alloc(mib - 88), pattern(600)]))).toBe(true)
    expect(await source.changeWarning?.()).toBeUndefined()
    await source.close()
  })

  it('has the size that probing by reads finds', async () => {
    const { device } = loopDevice(3 * mib + 1536)
    const handle = await open(device, 'r')
    expect(await probeSizeBytes(handle)).toBe(3 * mib + 1536)
    await handle.close()
  })

  it('causes a warning when it was written to during the backup', async () => {
    const { device } = loopDevice(mib)
    const source = await fileVolume(device).openSource()
    const handle = await open(device, 'w')
    await handle.write(pattern(512))
    await handle.sync()
    await handle.close()
    expect(await source.changeWarning?.()).toContain('was written to')
    await source.close()
  })

  it('fails with SOURCE_READ where the medium fails', async () => {
    const { device, image } = loopDevice(mib)
    const source = await fileVolume(device).openSource()
    await truncate(image, mib / 2)
    const error = await expectCode(readAll(source, mib), 'SOURCE_READ')
    expect(error.cause).toMatchObject({ code: 'EIO' })
    expect(error.details.offsetBytes).toBeGreaterThanOrEqual(mib / 2 - 2 ** 17)
    await source.close()
  })

  it('is refused without overwrite, even when it is blank', async () => {
    const { device } = loopDevice(mib)
    await expectCode(fileVolume(device).openTarget(whole(mib)), 'TARGET_NOT_EMPTY')
  })

  it('is restored to with overwrite, keeps its rest, and does not read as zeros', async () => {
    const { device, image } = loopDevice(2 * mib)
    const target = await fileVolume(device).openTarget(whole(mib, { overwrite: true }))
    expect(target.readsAsZeros).toBe(false)
    await target.write(pattern(1000), mib - 1000)
    await target.finish()
    await target.close()
    const content = await readFile(image)
    expect(content.length).toBe(2 * mib)
    expect(content.subarray(mib - 1000, mib)).toEqual(pattern(1000))
  })

  it('is refused when it is too small, and accepted for a part that fits', async () => {
    const { device } = loopDevice(mib)
    const volume = fileVolume(device)
    const error = await expectCode(volume.openTarget(whole(mib + 1, { overwrite: true })), 'TARGET_TOO_SMALL')
    expect(error.message).toContain(`has ${mib} bytes, and the restore needs ${mib + 1}`)
    const part = { partial: true, overwrite: true }
    await expectCode(volume.openTarget(whole(9 * mib, { ...part, endBytes: mib + 1 })), 'TARGET_TOO_SMALL')
    const target = await volume.openTarget(whole(9 * mib, { ...part, endBytes: mib }))
    await target.close()
  })

  it('fails on a write across its end', async () => {
    const { device } = loopDevice(mib)
    const target = await fileVolume(device).openTarget(whole(mib, { overwrite: true }))
    const error = await expectCode(target.write(pattern(1024), mib - 512), 'NO_SPACE')
    expect(error.details.offsetBytes).toBe(mib)
    await target.close()
  })

  it('is refused with the mount point while it is mounted, and accepted afterwards', async () => {
    const { device } = loopDevice(4 * mib)
    run('mkfs.ext4', '-q', device)
    const mountPoint = mount(device)
    for (const overwrite of [true, false]) {
      const error = await expectCode(fileVolume(device).openTarget(whole(mib, { overwrite })), 'TARGET_BUSY')
      expect(error.message).toContain(`${device} is mounted at ${mountPoint}`)
    }
    undo.pop()?.()
    const target = await fileVolume(device).openTarget(whole(mib, { overwrite: true }))
    await target.close()
  })

  it('is refused while one of its partitions is mounted', async () => {
    const { device } = loopDevice(16 * mib)
    // Told to the kernel directly, for kernels that read no partition table.
    run('addpart', device, '1', '2048', '8192')
    undo.push(() => run('delpart', device, '1'))
    const partition = `${device}p1`
    run('mkfs.ext4', '-q', partition)
    const mountPoint = mount(partition)
    const error = await expectCode(
      fileVolume(device).openTarget(whole(mib, { overwrite: true })),
      'TARGET_BUSY',
    )
    expect(error.message).toContain(`p1, that is mounted at ${mountPoint}`)
  })

  it('is refused through its backing file as well', async () => {
    const { device, image } = loopDevice(mib)
    const error = await expectCode(
      fileVolume(image).openTarget(whole(mib, { overwrite: true })),
      'TARGET_BUSY',
    )
    expect(error.message).toContain(`${image} is attached to ${device}`)
  })

  it('is refused while another program has claimed it, and is claimed while it is open', async () => {
    const { device } = loopDevice(mib)
    const first = await fileVolume(device).openTarget(whole(mib, { overwrite: true }))
    const error = await expectCode(
      fileVolume(device).openTarget(whole(mib, { overwrite: true })),
      'TARGET_BUSY',
    )
    expect(error.cause).toMatchObject({ code: 'EBUSY' })
    await first.close()
  })

  it('is refused when it is read-only', async () => {
    const { device } = loopDevice(mib, '--read-only')
    const error = await expectCode(
      fileVolume(device).openTarget(whole(mib, { overwrite: true })),
      'TARGET_WRITE',
    )
    expect(error.message).toContain('read-only')
  })

  it('fails a restore to a full file system with NO_SPACE, and leaves no file behind', async () => {
    const mountPoint = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs')
    const target = await fileVolume(`${mountPoint}/new.img`).openTarget(whole(4 * mib))
    const error = await expectCode(target.write(pattern(2 * mib), 0), 'NO_SPACE')
    expect(error.details.offsetBytes).toBe(mib)
    await target.close()
    await target.discard?.()
    expect(await readdir(mountPoint)).toEqual([])
  })

  it('refuses a read-only file system before it creates a file', async () => {
    const mountPoint = mount('-t', 'tmpfs', '-o', 'ro', 'tmpfs')
    const error = await expectCode(fileVolume(`${mountPoint}/new.img`).openTarget(whole(4)), 'TARGET_WRITE')
    expect(error.message).toContain('read-only file system')
    await expect(writeFile(`${mountPoint}/x`, '')).rejects.toMatchObject({ code: 'EROFS' })
  })
})
