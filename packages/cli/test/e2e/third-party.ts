import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach } from 'vitest'
import { start } from './stowage.js'
import type { Ended } from './stowage.js'

const core = fileURLToPath(new URL('../../../backup-core', import.meta.url))

/** A project of a user in a folder of its own, with packages of others. Removed after each test. */
export interface Project {
  readonly directory: string
  readonly path: (name: string) => string
  /** Installs an ES module as a package, into a `node_modules` folder. @param manifest - replaces its `exports` */
  readonly install: (name: string, code: string, options?: InstallOptions) => Promise<void>
  /** Runs the built command in the folder. */
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>
}

interface InstallOptions {
  readonly manifest?: object
  /** The folder that has `node_modules`. @default the project */
  readonly into?: string
}

/** A project for each test, in which core is installed, as `npm install stowage-backup-x` does with a peer dependency. */
export function useProject(): Project {
  let directory = ''
  const path = (name: string): string => join(directory, name)
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'stowage-project-')))
    await mkdir(path('node_modules/@stowage'), { recursive: true })
    await symlink(core, path('node_modules/@stowage/backup-core'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })
  return {
    get directory() {
      return directory
    },
    path,
    install: async (name, code, { manifest = { exports: './index.js' }, into = directory } = {}) => {
      const folder = join(into, 'node_modules', name)
      await mkdir(folder, { recursive: true })
      await writeFile(
        join(folder, 'package.json'),
        JSON.stringify({ name, version: '1.0.0', type: 'module', ...manifest }),
      )
      await writeFile(join(folder, 'index.js'), code)
    },
    run: (args, env) => start(directory, args, env).ended,
  }
}

/** A backend of others: a directory of files, whose URLs are `shelf:DIRECTORY`. */
export const shelfBackend = `
import { BackupError, ChunkedBackupDriver } from '@stowage/backup-core'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

class ShelfDriver extends ChunkedBackupDriver {
  constructor({ directory, suffix = '', ...options }) {
    super(options, {
      chunkSizeBytes: 1024 * 1024,
      blockSizeBytes: 32 * 1024,
      container: 'shelf',
      serviceName: 'test.ShelfDriver',
    })
    this.directory = directory
    this.suffix = suffix
  }
  pathOf(container, name = '') {
    return join(this.directory, encodeURIComponent(container) + this.suffix, encodeURIComponent(name))
  }
  async putContainer(container) {
    await mkdir(this.pathOf(container), { recursive: true })
  }
  async *getContainerEntries(container, prefix) {
    const files = await readdir(this.pathOf(container)).catch(() => [])
    for (const name of files.map(decodeURIComponent)) if (name.startsWith(prefix)) yield name
  }
  async getObjectWriter(container, name) {
    const pieces = []
    return {
      write: async (bytes) => void pieces.push(Uint8Array.from(bytes)),
      close: () => writeFile(this.pathOf(container, name), Buffer.concat(pieces)),
      abort: async () => {},
    }
  }
  async getObjectReader(container, name) {
    const missing = () => {
      throw new BackupError('OBJECT_MISSING', 'The object ' + name + ' does not exist.')
    }
    return { read: () => readFile(this.pathOf(container, name)).catch(missing) }
  }
  async deleteObject(container, name) {
    await rm(this.pathOf(container, name), { force: true })
  }
  generateObjectNamePrefix({ id, volumeId }) {
    return 'volume_' + volumeId + '/backup_' + id
  }
  updateContainerName(_backup, container) {
    return container
  }
  async getExtraMetadata() {
    return null
  }
  async checkForSetupError() {
    await mkdir(this.directory, { recursive: true })
  }
}

export const stowageBackend = {
  schemes: ['shelf'],
  urlSyntax: ['shelf:DIRECTORY'],
  flags: {
    'shelf-suffix': { description: 'the suffix of the folders', env: 'SHELF_SUFFIX' },
    'shelf-limit': { description: 'a limit that nothing uses', kind: 'size' },
    'shelf-loud': { description: 'prints the options that it gets', kind: 'boolean' },
  },
  checkUrl(url) {
    if (url === 'shelf:') throw new BackupError('OPTION_INVALID', 'The URL "shelf:" names no directory.')
  },
  async open(url, { driverOptions, flags, create, network }) {
    if (flags['shelf-loud']) process.stderr.write(JSON.stringify({ flags, create, network }) + '\\n')
    return new ShelfDriver({ ...driverOptions, directory: url.slice('shelf:'.length), suffix: flags['shelf-suffix'] })
  },
}
`

/** A compressor of others, which compresses runs of one byte only. */
export const runCompressor = `
export const stowageCompressors = {
  algorithms: ['runs', 'runs2'],
  create: (name) => ({
    name,
    aliases: [],
    cinderCompatible: false,
    async compress(bytes) {
      return bytes.every((byte) => byte === bytes[0]) ? Uint8Array.of(bytes[0]) : null
    },
    async decompress([byte], lengthBytes) {
      return new Uint8Array(lengthBytes).fill(byte)
    },
  }),
}
`
