import { mkdir, open, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  attachedLoopDevice,
  deviceNumber,
  deviceReadOnly,
  deviceSizeBytes,
  deviceUse,
  deviceWriteCount,
  parseMountInfo,
  probeSizeBytes,
} from '../../src/volume/block-device.js'
import { useTemporaryDirectory } from './support.js'

const inDirectory = useTemporaryDirectory()

/** Lays out files as they are under / on a Linux machine. */
async function layOut(files: Record<string, string>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(inDirectory(path)), { recursive: true })
    await writeFile(inDirectory(path), content)
  }
  return inDirectory()
}

const mountInfo = `22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
23 22 0:21 / /proc rw,nosuid shared:2 - proc proc rw
24 22 8:2 / /srv/my\\040disk\\134s rw shared:3 - ext4 /dev/sda2 rw
25 24 8:2 /sub /elsewhere rw shared:3 - ext4 /dev/sda2 rw
`

describe('the number of a device', () => {
  it('is split into major and minor as glibc packs them', () => {
    const twelve = fc.integer({ min: 0, max: 0xfff })
    const twenty = fc.integer({ min: 0, max: 0xfffff })
    fc.assert(
      fc.property(twelve, twenty, (major, minor) => {
        const low = (BigInt(major) << 8n) | BigInt(minor & 0xff)
        const rdev = low | (BigInt(minor >> 8) << 20n)
        expect(deviceNumber({ rdev })).toBe(`${major}:${minor}`)
      }),
    )
    expect(deviceNumber({ rdev: 0x801n })).toBe('8:1')
    // What stat prints for a real /dev/nvme0n1, whose major needs more than eight bits.
    expect(deviceNumber({ rdev: 0x10300n })).toBe('259:0')
  })
})

describe('the size of a device', () => {
  it('is counted in 512 bytes, whatever its sector size', async () => {
    const root = await layOut({ 'sys/dev/block/259:0/size': '7814037168\n' })
    expect(await deviceSizeBytes('259:0', root)).toBe(7_814_037_168 * 512)
  })

  it('is undefined where sysfs is missing or invalid', async () => {
    const root = await layOut({ 'sys/dev/block/8:0/size': 'many\n' })
    expect(await deviceSizeBytes('8:0', root)).toBeUndefined()
    expect(await deviceSizeBytes('8:16', root)).toBeUndefined()
  })

  it('is found by probing reads without sysfs', async () => {
    for (const sectors of [0, 1, 2, 3, 7, 8, 9, 1000, 4097]) {
      const path = inDirectory(`device-${sectors}`)
      const handle = await open(path, 'w+')
      await handle.truncate(sectors * 512)
      expect(await probeSizeBytes(handle)).toBe(sectors * 512)
      await handle.close()
    }
  })

  it('rejects when a probing read fails', async () => {
    const handle = await open(inDirectory(), 'r')
    try {
      await expect(probeSizeBytes(handle)).rejects.toMatchObject({ code: 'EISDIR' })
    } finally {
      await handle.close()
    }
  })
})

describe('whether a device is read-only', () => {
  it('is read from sysfs, and false without it', async () => {
    const root = await layOut({ 'sys/dev/block/8:0/ro': '1\n', 'sys/dev/block/8:1/ro': '0\n' })
    expect(await deviceReadOnly('8:0', root)).toBe(true)
    expect(await deviceReadOnly('8:1', root)).toBe(false)
    expect(await deviceReadOnly('8:2', root)).toBe(false)
  })
})

describe('the count of writes to a device', () => {
  it('changes with writes and discards, and not with reads', async () => {
    const line = (reads: number, writes: number, discards: number): string =>
      `  ${reads} 0 800 20 ${writes} 5 640 12 0 30 40 ${discards} 0 0 0 3 4\n`
    const count = async (...fields: [number, number, number]): Promise<string | undefined> =>
      deviceWriteCount('8:0', await layOut({ 'sys/dev/block/8:0/stat': line(...fields) }))
    const before = await count(1, 2, 3)
    expect(before).toBeDefined()
    expect(await count(9, 2, 3)).toBe(before)
    expect(await count(1, 4, 3)).not.toBe(before)
    expect(await count(1, 2, 4)).not.toBe(before)
  })

  it('is undefined where the kernel does not count', async () => {
    expect(await deviceWriteCount('8:0', inDirectory())).toBeUndefined()
  })
})

describe('the use of a device', () => {
  it('is undefined when it is not mounted or held, and without /proc and /sys', async () => {
    expect(await deviceUse('8:0', inDirectory())).toBeUndefined()
    const root = await layOut({ 'proc/self/mountinfo': mountInfo, 'sys/dev/block/8:3/size': '1' })
    expect(await deviceUse('8:3', root)).toBeUndefined()
  })

  it('is its mount point', async () => {
    const root = await layOut({ 'proc/self/mountinfo': mountInfo })
    expect(await deviceUse('253:0', root)).toBe('is mounted at /')
    expect(await deviceUse('8:2', root)).toBe('is mounted at /srv/my disk\\s')
  })

  it('includes the mount points of its partitions', async () => {
    const root = await layOut({
      'proc/self/mountinfo': mountInfo,
      'sys/dev/block/8:0/size': '100',
      'sys/dev/block/8:0/queue/dev': '8:2',
      'sys/dev/block/8:0/sda1/partition': '1',
      'sys/dev/block/8:0/sda1/dev': '8:1\n',
      'sys/dev/block/8:0/sda2/partition': '2',
      'sys/dev/block/8:0/sda2/dev': '8:2\n',
    })
    expect(await deviceUse('8:0', root)).toBe('has a partition, sda2, that is mounted at /srv/my disk\\s')
    expect(await deviceUse('8:1', root)).toBeUndefined()
  })

  it('includes the holders of it and its partitions', async () => {
    const root = await layOut({
      'sys/dev/block/8:0/sda1/partition': '1',
      'sys/dev/block/8:0/sda1/dev': '8:1\n',
      'sys/dev/block/8:0/sda1/holders/dm-0': '',
      'sys/dev/block/8:16/holders/md127': '',
    })
    expect(await deviceUse('8:16', root)).toContain('is part of md127')
    expect(await deviceUse('8:0', root)).toContain('has a partition, sda1, that is part of dm-0')
  })
})

describe('the loop device of a file', () => {
  it('is found by the real path of the file, and undefined for another file', async () => {
    const root = await layOut({
      'disk.img': '',
      'other.img': '',
      'sys/block/loop0/size': '0',
      'sys/block/sda/loop/backing_file': '',
      'sys/block/loop1/loop/backing_file': '',
    })
    await writeFile(
      inDirectory('sys/block/loop1/loop/backing_file'),
      `${await realpath(inDirectory('disk.img'))}\n`,
    )
    await symlink('disk.img', inDirectory('link'))
    expect(await attachedLoopDevice(inDirectory('disk.img'), root)).toBe('loop1')
    expect(await attachedLoopDevice(inDirectory('link'), root)).toBe('loop1')
    expect(await attachedLoopDevice(inDirectory('other.img'), root)).toBeUndefined()
    expect(await attachedLoopDevice(inDirectory('disk.img'), inDirectory('nowhere'))).toBeUndefined()
  })
})

describe('the mount table', () => {
  it('has the first mount point of each device, and ignores invalid lines', () => {
    const mounts = parseMountInfo(`\nnonsense\n${mountInfo}`)
    expect(mounts.get('8:2')).toBe('/srv/my disk\\s')
    expect(mounts.get('0:21')).toBe('/proc')
    expect(mounts.size).toBe(3)
  })
})
