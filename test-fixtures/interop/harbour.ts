import type { BackupRecord, ChunkedDriverOptions } from '@stowage/backup-core'
import { bufferVolume } from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { CinderPeer, type PeerBackupPlace, type PeerOptions } from '../cinder/cinder-peer.js'
import { compressors } from '../vaults/compressors.js'

/** Everything that both sides are told of a backup. */
export interface Cargo extends PeerOptions {
  readonly volume: Uint8Array
  readonly volumeId: string
  readonly backupId: string
  readonly parentId?: string | null | undefined
  readonly container?: string | undefined
  readonly name?: string | null | undefined
  readonly description?: string | null | undefined
  readonly volumeMeta?: string | null | undefined
}

/** Small enough that a volume of some hundred KiB has several chunks. */
export const sizes = { chunkSizeBytes: 65_536, blockSizeBytes: 4_096 }

/** A directory that Stowage and Cinder both back up into. */
export class Harbour implements AsyncDisposable {
  readonly path: string
  readonly peer: CinderPeer
  readonly #scratch: string

  private constructor(scratch: string, path: string, peer: CinderPeer) {
    this.#scratch = scratch
    this.path = path
    this.peer = peer
  }

  static async open(): Promise<Harbour> {
    const scratch = await mkdtemp(join(tmpdir(), 'stowage-interop-'))
    const path = join(scratch, 'vault')
    await markStore(path)
    return new Harbour(
      scratch,
      path,
      await CinderPeer.start(join(scratch, 'state'), { driver: 'posix', path }),
    )
  }

  /** Stowage's driver on this directory. */
  driver(options: Partial<ChunkedDriverOptions> = {}): PosixBackupDriver {
    return new PosixBackupDriver({
      path: this.path,
      decompressors: [...compressors.values()],
      ...sizes,
      ...options,
    })
  }

  /**
   * A backup by Stowage, of which Cinder is told.
   *
   * @param options - more options of the driver
   */
  async stow(cargo: Cargo, options: Partial<ChunkedDriverOptions> = {}): Promise<BackupRecord> {
    const word = cargo.compression ?? 'none'
    const compression = compressors.get(word)
    if (word !== 'none' && compression === undefined) throw new Error(`There is no compressor for ${word}.`)
    await using driver = this.driver({
      ...(compression && { compression }),
      ...(cargo.chunkSizeBytes !== undefined && { chunkSizeBytes: cargo.chunkSizeBytes }),
      ...(cargo.blockSizeBytes !== undefined && { blockSizeBytes: cargo.blockSizeBytes }),
      ...(cargo.now !== undefined && { clock: () => new Date(`${String(cargo.now)}Z`) }),
      ...options,
    })
    const { volumeId, backupId, name = null, description = null } = cargo
    const record = await driver.backup(
      {
        volumeId,
        backupId,
        name,
        description,
        parent: cargo.parentId ?? null,
        volumeMetadata: cargo.volumeMeta ?? null,
        // Cinder takes volumes of any size.
        allowEmpty: true,
        allowShrink: true,
        ...(cargo.container !== undefined && { container: cargo.container }),
      },
      bufferVolume(cargo.volume),
    )
    await this.peer.adopt({ ...cargo, container: record.container }, record.prefix)
    return record
  }

  /** A backup by Cinder. */
  async cinderStows(cargo: Cargo): Promise<PeerBackupPlace> {
    const file = join(this.#scratch, 'volume')
    await writeFile(file, cargo.volume)
    return this.peer.backup({ compression: 'none', ...sizes, ...cargo }, file)
  }

  /** What Stowage restores. */
  async restored(backupId: string): Promise<Uint8Array> {
    await using driver = this.driver()
    const target = bufferVolume()
    await driver.restore(backupId, target)
    return target.bytes
  }

  /** What Cinder restores: of a volume that shrank, with what lies past its end. */
  async cinderRestored(backupId: string): Promise<Buffer> {
    const file = join(this.#scratch, `restored-${randomUUID()}`)
    await writeFile(file, '')
    await this.peer.restore(backupId, file)
    const bytes = await readFile(file)
    await rm(file)
    return bytes
  }

  /** Every file but the mark of the store, by its path in the directory. */
  async files(): Promise<ReadonlyMap<string, Buffer>> {
    const entries = await readdir(this.path, { recursive: true, withFileTypes: true })
    const paths = entries
      .filter((entry) => entry.isFile() && entry.name !== '.stowage-store')
      .map((entry) => join(entry.parentPath, entry.name))
    const named = paths.sort().map(async (path) => [relative(this.path, path), await readFile(path)] as const)
    return new Map(await Promise.all(named))
  }

  /** The mark of the store. */
  mark(): Promise<string> {
    return readFile(join(this.path, '.stowage-store'), 'utf8')
  }

  /** Makes the directory a new, empty store. */
  async clear(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
    await markStore(this.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]()
    await rm(this.#scratch, { recursive: true, force: true })
  }
}

/** All that Cinder and Stowage do here, they do in a directory with a mark, which Cinder has to ignore. */
async function markStore(path: string): Promise<void> {
  await using driver = new PosixBackupDriver({ path })
  await driver.createStore()
}
