import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, mkdir, open, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fat16Image } from './fat16-image.mjs'
import { capture, findProgram } from './run.mjs'

const diskBytes = 64 * 1024 * 1024

/** Bytes that look like a photograph to a compressor, and are the same on every run. */
function photo(seed, lengthBytes) {
  const blocks = Array.from({ length: Math.ceil(lengthBytes / 64) }, (_, index) =>
    createHash('sha512').update(`${seed} ${index}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, lengthBytes)
}

/** Text, of which disks hold a lot and compressors like a lot. */
function log(lines) {
  return Buffer.from(
    Array.from(
      { length: lines },
      (_, index) =>
        `2026-01-01T${String(index % 24).padStart(2, '0')}:00:00Z ship ${index * 7919} reported in\n`,
    ).join(''),
  )
}

const letter = Buffer.from('Dear reader,\nthis letter was on the disk when it was first backed up.\n')
const postscript = Buffer.from('P.S. This came later, and only the incremental has it.\n')

const files = [
  { name: 'LETTER.TXT', content: letter },
  { name: 'SHIPS.LOG', content: log(120_000) },
  { name: 'HARBOUR.JPG', content: photo('harbour', 6 * 1024 * 1024) },
  { name: 'SUNSET.JPG', content: photo('sunset', 5 * 1024 * 1024) },
]
const later = [
  { name: 'POSTSCR.TXT', content: postscript },
  { name: 'NEW.JPG', content: photo('new', 700_000) },
]

/**
 * A disk image to play with: `path`, what it is (`kind`), `change()`, which changes it as its owner would and returns
 * what it did, and `look(image)`, which reads a file out of an image, where there is a tool for that.
 */
export async function makeDiskImage(directory, given) {
  const path = join(directory, 'disk.img')
  if (given !== undefined) return copyOf(given, path)
  const mkfs = findProgram('mkfs.ext4')
  const debugfs = findProgram('debugfs')
  return mkfs && debugfs ? ext4(directory, path, mkfs, debugfs) : fat16(path)
}

async function ext4(directory, path, mkfs, debugfs) {
  const content = join(directory, 'files')
  await mkdir(content, { recursive: true })
  for (const file of [...files, ...later]) await writeFile(join(content, file.name), file.content)
  const wanted = join(directory, 'first-files')
  await mkdir(wanted, { recursive: true })
  for (const { name } of files) await copyFile(join(content, name), join(wanted, name))
  await (await open(path, 'w')).close()
  await truncate(path, diskBytes)
  await capture(mkfs, ['-q', '-F', '-L', 'stowage', '-d', wanted, path])
  const shell = (request, image = path) => capture(debugfs, ['-w', '-R', request, image])
  return {
    path,
    kind: `ext4, made by mkfs.ext4, with ${files.length} files`,
    async change() {
      await shell('rm SUNSET.JPG')
      for (const { name } of later) await shell(`write ${join(content, name)} ${name}`)
      return 'deleted SUNSET.JPG, wrote POSTSCR.TXT and NEW.JPG (with debugfs, as a mounted disk would)'
    },
    look: (image) => capture(debugfs, ['-R', 'cat POSTSCR.TXT', image]),
    lookCommand: (image) => `debugfs -R 'cat POSTSCR.TXT' ${basename(image)}`,
  }
}

async function fat16(path) {
  await writeFile(path, fat16Image(diskBytes, 'STOWAGE', files))
  return {
    path,
    kind: `FAT16, with ${files.length} files`,
    async change() {
      // In place of the first part of a file, as an editor of photographs would.
      const edited = files.map((file) =>
        file.name === 'SUNSET.JPG'
          ? { ...file, content: Buffer.concat([photo('edit', 300_000), file.content.subarray(300_000)]) }
          : file,
      )
      await writeFile(path, fat16Image(diskBytes, 'STOWAGE', [...edited, ...later]))
      return 'edited SUNSET.JPG, wrote POSTSCR.TXT and NEW.JPG'
    },
  }
}

async function copyOf(given, path) {
  const { size } = await stat(given)
  if (size === 0) throw new Error(`${given} is empty: give a disk image with something in it.`)
  await rm(path, { force: true })
  await copyFile(given, path, constants.COPYFILE_FICLONE)
  return {
    path,
    kind: `a copy of ${given}`,
    async change() {
      const lengthBytes = Math.min(size, 256 * 1024)
      const offset = Math.floor((size - lengthBytes) / 2)
      const handle = await open(path, 'r+')
      try {
        await handle.write(photo('patch', lengthBytes), 0, lengthBytes, offset)
      } finally {
        await handle.close()
      }
      return `overwrote ${lengthBytes} bytes in the middle of the copy (the original is untouched)`
    },
  }
}

/** The SHA-256 of a file, in hex. */
export async function sha256Of(path) {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece)
  return hash.digest('hex')
}
