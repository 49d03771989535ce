import type { BackupRecord } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { compressionText, unknownInChain, unknownToCinder } from '../src/output/compressions.js'

function record(id: string, parentId: string | null, compressions?: string[]): BackupRecord {
  return {
    ...{ id, parentId, volumeId: 'v', container: 'c', prefix: `p_${id}`, name: null, description: null },
    ...{ createdAt: '2026-01-01T00:00:00Z', sizeBytes: 1, objectCount: 1 },
    ...(compressions ? { compressions } : {}),
  }
}

const full = record('full', null, ['brotli', 'none'])
const next = record('next', 'full', ['zlib'])
const other = record('other', null, ['bzip2', 'none'])
const byId = new Map([full, next, other].map((one) => [one.id, one]))

describe('the compressions that Cinder does not know', () => {
  it('are those of a backup and of what it stands on', () => {
    expect(unknownInChain(full, byId)).toEqual(['brotli'])
    expect(unknownInChain(next, byId)).toEqual(['brotli'])
    expect(unknownInChain(other, byId)).toEqual([])
    expect(unknownToCinder([record('old', null)])).toEqual([])
  })

  it('are named by show', () => {
    expect(compressionText(full, [full])).toBe('brotli, none (Cinder cannot restore this backup)')
    expect(compressionText(next, [next, full])).toBe(
      'zlib, on brotli of a parent (Cinder cannot restore this backup)',
    )
    expect(compressionText(other, [other])).toBe('bzip2, none')
    expect(compressionText(record('same', 'other', []), [other])).toBe('none')
  })

  it('end at a parent that is not there, and at a loop', () => {
    const loop = record('loop', 'loop', ['lz4'])
    expect(unknownInChain(loop, new Map([['loop', loop]]))).toEqual(['lz4'])
    expect(unknownInChain(next, new Map())).toEqual([])
  })
})
