import { expect, it } from 'vitest'
import { listContainer } from '../../src/catalog/store-index.js'
import { StoreAccess } from '../../src/store/access.js'
import type { ObjectStore } from '../../src/contracts/object-store.js'

it('refuses a listing with more than the maximum number of backups', async () => {
  let read = 0
  const endless = {
    async *getContainerEntries() {
      for (;;) {
        read += 1
        // A store gives names page by page.
        if (read % 10_000 === 0) await Promise.resolve()
        yield `volume_v/${String(read)}_backup_b_metadata`
      }
    },
  }
  const listing = listContainer(new StoreAccess(endless as unknown as ObjectStore, {}), 'c')
  await expect(listing).rejects.toMatchObject({ code: 'LISTING_INVALID' })
  expect(read).toBe(1_000_001)
})
