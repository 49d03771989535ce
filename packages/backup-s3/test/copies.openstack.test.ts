import { copyBackup, fileVolume, type ChunkedBackupDriver } from '@stowage/backup-core'
import { SwiftBackupDriver } from '@stowage/backup-swift'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CinderPeer } from '../../../test-fixtures/cinder/cinder-peer.js'
import { Harbour, sizes, type Cargo } from '../../../test-fixtures/interop/harbour.js'
import { mixed, noise, patched, text } from '../../../test-fixtures/interop/volumes.js'
import { compressors } from '../../../test-fixtures/vaults/compressors.js'
import { S3BackupDriver } from '../src/index.js'
import { lab, theLab, v1Endpoint, v1Keys, v1Store } from './lab.js'
import { emptyBuckets } from './support.js'

const first = mixed('first', 300_000)
const second = patched(first, [1, text('second', 70_000)], [200_000, Buffer.alloc(30_000)])
const third = patched(second, [65_530, noise('third', 12)], [299_999, Buffer.from('!')])

/** A chain of three backups. */
function chainOf(compression: string): readonly Cargo[] {
  const common = { volumeId: randomUUID(), compression, ...sizes }
  const full = { ...common, volume: first, backupId: randomUUID() }
  const next = { ...common, volume: second, backupId: randomUUID(), parentId: full.backupId }
  return [full, next, { ...common, volume: third, backupId: randomUUID(), parentId: next.backupId }]
}

describe.skipIf(!lab)('a chain that Cinder made in a directory', () => {
  let original: Harbour
  let last: Harbour
  let directory: string
  let s3Peer: CinderPeer
  beforeAll(async () => {
    original = await Harbour.open()
    last = await Harbour.open()
    directory = await mkdtemp(join(tmpdir(), 'stowage-copies-'))
    const { accessKeyId, secretAccessKey } = v1Keys()
    s3Peer = await CinderPeer.start(join(directory, 'state'), {
      ...{ driver: 's3', endpoint: v1Endpoint() },
      ...{ accessKeyId, secretAccessKey },
    })
  })
  afterAll(async () => {
    await s3Peer[Symbol.asyncDispose]()
    await original[Symbol.asyncDispose]()
    await last[Symbol.asyncDispose]()
    await emptyBuckets(v1Store(), /^(?:copies|more)-/)
    await rm(directory, { recursive: true, force: true })
  })

  test.each(['none', 'zlib', 'zstd'])(
    'with compression %s, copied to Swift, to S3 and back, restores at each place, here and in Cinder',
    async (compression) => {
      const chain = chainOf(compression)
      const newest = chain[2]?.backupId ?? ''
      await original.clear()
      await last.clear()
      for (const cargo of chain) await original.cinderStows(cargo)
      const { user, key } = theLab().v1Users[0] ?? { user: '', key: '' }
      const common = { decompressors: [...compressors.values()] }
      await using posix = original.driver()
      await using swift = new SwiftBackupDriver({
        ...common,
        ...{ container: `copies-${compression}`, env: {} },
        credentials: { method: 'v1', authUrl: theLab().v1AuthUrl, user, key },
      })
      await using s3 = new S3BackupDriver({
        ...common,
        ...v1Store(),
        container: `more-${compression}`,
        search: 'container',
      })
      await using end = last.driver()
      const stops: readonly ChunkedBackupDriver[] = [posix, swift, s3, end]
      for (const [index, to] of stops.entries()) {
        const from = stops[index - 1]
        if (from) await copyBackup(from, to, newest)
        for (const { backupId, volume } of chain) {
          const target = join(directory, 'restored')
          await rm(target, { force: true })
          await to.restore(backupId, fileVolume(target))
          expect(Buffer.compare(await readFile(target), volume)).toBe(0)
        }
      }
      for (const one of chain) {
        const { container, prefix } = await s3.getBackup(one.backupId)
        await s3Peer.adopt({ ...one, container }, prefix)
        const target = join(directory, 'of-cinder')
        await writeFile(target, '')
        await s3Peer.restore(one.backupId, target)
        expect(Buffer.compare((await readFile(target)).subarray(0, one.volume.length), one.volume)).toBe(0)
        const place = await end.getBackup(one.backupId)
        await last.peer.adopt({ ...one, container: place.container }, place.prefix)
        expect(Buffer.compare(await last.cinderRestored(one.backupId), one.volume)).toBe(0)
      }
      // `_sha256file` and all else, byte for byte, in the same places.
      expect(await last.files()).toEqual(await original.files())
    },
  )
})
