import { describe, expect, it } from 'vitest'
import { runDeletesAtOnce } from './deletes-at-once.js'

describe('two deletes of one backup, an incremental on it and a removal of orphans at once', () => {
  it.each([
    ['with no other delete before', false],
    ['with the marker of a killed one', true],
  ])(
    'never lose a backup that a delete refused, nor the parent of an incremental that was made, %s (A3)',
    async (_what, marked) => {
      const seen = await runDeletesAtOnce(2000, marked)
      expect(seen).toContain('deleted, not made')
      expect(seen).toContain('refused, made')
    },
    580_000,
  )
})
