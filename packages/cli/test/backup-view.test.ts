import type { BackupRecord } from '@stowage/backup-core'
import { expect, it } from 'vitest'
import { shownSize, viewOf } from '../src/output/backup-view.js'

const record: BackupRecord = {
  ...{ id: 'next', volumeId: 'volume', parentId: 'full', container: 'c', prefix: 'backup_next' },
  ...{ name: null, description: null, createdAt: '2026-01-01T00:00:00Z' },
  ...{ sizeBytes: 131_072, objectCount: 1 },
}

it('shows a size as a minimum where a parent that it rests on was not found (C6)', () => {
  expect(shownSize(record)).toBe('128 KiB')
  expect(viewOf(record).sizeIsMinimum).toBe(false)
  expect(shownSize({ ...record, sizeIsMinimum: true })).toBe('\u2265 128 KiB')
  expect(viewOf({ ...record, sizeIsMinimum: true }).sizeIsMinimum).toBe(true)
})
