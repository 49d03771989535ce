import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BackupRecord } from '@stowage/backup-core'
import { Harbour, type Cargo } from './harbour.js'
import { mixed, patched, text } from './volumes.js'

let harbour: Harbour
beforeAll(async () => {
  harbour = await Harbour.open()
})
afterAll(() => harbour[Symbol.asyncDispose]())

const cargo = (volume: Uint8Array, parentId: string | null = null): Cargo => ({
  volume,
  volumeId: randomUUID(),
  backupId: randomUUID(),
  parentId,
  compression: 'zlib',
  name: 'donn\u00e9es \u{1f6a2}',
  description: 'a "quoted" \\ one',
  now: '2026-04-05T06:07:08',
})

describe('a record that Stowage exports', () => {
  test('is read by Cinder, field by field, and restores there', async () => {
    const full = cargo(mixed('record', 90_000))
    const next = {
      ...cargo(patched(full.volume, [7, text('x', 9_000)]), full.backupId),
      volumeId: full.volumeId,
    }
    await using driver = harbour.driver()
    for (const one of [full, next]) {
      const record = await harbour.stow(one)
      const exported = await driver.exportRecord(record)
      expect(exported.backupService).toBe('cinder.backup.drivers.posix.PosixBackupDriver')
      const fields = await harbour.peer.decodeRecord(exported.backupUrl, { keep: true })
      expect(fields).toMatchObject({
        id: record.id,
        volume_id: record.volumeId,
        parent_id: record.parentId,
        container: record.container,
        service_metadata: record.prefix,
        display_name: record.name,
        display_description: record.description,
        object_count: record.objectCount,
        size: 1,
        status: 'available',
        created_at: '2026-04-05T06:07:08Z',
      })
    }
    expect(await harbour.cinderRestored(next.backupId)).toEqual(Buffer.from(next.volume))
  })
})

describe('a record that Cinder exports', () => {
  test('is read by Stowage and restores there', async () => {
    const full = cargo(mixed('theirs', 90_000))
    const place = await harbour.cinderStows(full)
    const exported = await harbour.peer.encodeRecord(full.backupId)
    await using driver = harbour.driver()
    const expected: BackupRecord = {
      id: full.backupId,
      volumeId: full.volumeId,
      parentId: null,
      container: place.container,
      prefix: place.prefix,
      name: full.name ?? null,
      description: full.description ?? null,
      createdAt: '2026-04-05T06:07:08Z',
      sizeBytes: full.volume.length,
      objectCount: place.objectCount,
      compressions: ['zlib'],
    }
    expect(await driver.importRecord(exported)).toEqual(expected)
    expect(Buffer.from(await harbour.restored(full.backupId))).toEqual(Buffer.from(full.volume))
  })

  test('has the fields that Stowage exports for the same backup', async () => {
    const full = cargo(mixed('both', 10_000))
    await harbour.cinderStows(full)
    const theirs = await harbour.peer.encodeRecord(full.backupId)
    await using driver = harbour.driver()
    const ours = await driver.exportRecord(full.backupId)
    const decoded = (record: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(record, 'base64').toString('utf8')) as Record<string, unknown>
    const our = decoded(ours.backupUrl)
    const their = decoded(theirs.backupUrl)
    expect(Object.keys(our).sort()).toEqual(Object.keys(their).sort())
  })
})
