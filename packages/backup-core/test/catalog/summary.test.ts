import { expect, it } from 'vitest'
import { recordOf, type Summary, type VolumeSizes } from '../../src/catalog/summary.js'

/** A chain of Cinder's, whose sizes rest on the full backup. */
function chainOf(length: number): Summary[] {
  return Array.from({ length }, (_, index) => ({
    record: {
      id: `b${index}`,
      volumeId: 'volume',
      parentId: index === 0 ? null : `b${index - 1}`,
      ...{ container: 'c', prefix: `backup_b${index}`, name: null, description: null },
      ...{ createdAt: '2026-01-01T00:00:00Z', objectCount: 1 },
    },
    volumeSizeBytes: null,
    endBytes: index === 0 ? 1000 : 10,
  }))
}

/** Counts how often a parent is looked for. */
class CountingMap extends Map<string, Summary> {
  gets = 0

  override get(id: string): Summary | undefined {
    this.gets += 1
    return super.get(id)
  }
}

it.each(['oldest', 'newest'])(
  'finds the size of each backup of a chain in one step, the %s first (C10)',
  (first) => {
    const chain = chainOf(500)
    const known = new CountingMap(chain.map((summary) => [summary.record.id, summary]))
    const sizes: VolumeSizes = new Map()
    const order = first === 'oldest' ? chain : chain.toReversed()
    for (const summary of order) {
      expect(recordOf(summary, known, sizes)).toMatchObject({ id: summary.record.id, sizeBytes: 1000 })
    }
    expect(known.gets).toBeLessThanOrEqual(500)
  },
)

it('stops at a loop of parents', () => {
  const [first, second] = chainOf(2) as [Summary, Summary]
  const loop = { ...first, record: { ...first.record, parentId: 'b1' } }
  const known = new Map([
    ['b0', loop],
    ['b1', second],
  ])
  expect(recordOf(second, known)).toMatchObject({ sizeBytes: 1000, sizeIsMinimum: true })
})
