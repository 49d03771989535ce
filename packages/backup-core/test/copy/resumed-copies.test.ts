import { describe, expect, it } from 'vitest'
import { copyBackup } from '@stowage/backup-core'
import { fault, FaultyBackupDriver, MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'
import { killedAt } from '../engine/schedule.js'
import { seededBytes } from '../engine/volumes.js'
import { container, full, next, objectsOf, restored, sizes, sourceOfTwo } from './support.js'

const hourMs = 60 * 60 * 1000

/** How often each data object and hash list was stored. */
function stored(drivers: readonly FaultyBackupDriver[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { calls } of drivers) {
    for (const { operation, objectName = '' } of calls) {
      if (operation !== 'writer.close' || objectName.startsWith('stowage-')) continue
      counts.set(objectName, (counts.get(objectName) ?? 0) + 1)
    }
  }
  return counts
}

/** A copy that fails before its n-th object is complete. */
async function halfCopy(from: MemoryBackupDriver, store: MemoryStore, nth: number): Promise<void> {
  const fail = fault.fail('writer.close', { object: /-\d{5}$/, nth })
  const to = new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store }), {
    concurrency: 1,
    faults: [fail],
  })
  await expect(copyBackup(from, to, 'b0')).rejects.toMatchObject({ code: 'STORE_FAILED' })
}

function age(store: MemoryStore, hours: number): void {
  for (const name of store.list(container))
    store.setModifiedAt(container, name, new Date(Date.now() - hours * hourMs))
}

/** Whether the backup of a claim had its manifest. */
function isCommitted(names: ReadonlySet<string>, claim: string): boolean {
  const id = claim.replace(/^stowage-claim_(.*)_\d{14}$/, '$1')
  return [...names].some((name) => name.endsWith(`_${id}_metadata`))
}

describe('a copy that was killed', () => {
  it('is completed by the next one, whatever it had done, and no object is stored twice', async () => {
    const from = await sourceOfTwo()
    const expected = objectsOf(from.store)
    let kills = 0
    for (let nth = 1; ; nth += 1) {
      const store = new MemoryStore()
      const { driver: dying, killed } = killedAt(nth, store)
      const outcome = await Promise.race([copyBackup(from, dying, 'b1'), killed])
      if (outcome !== undefined) break
      kills += 1
      const again = new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store }))
      const atKill = new Set(store.list(container))
      await copyBackup(from, again, 'b1')
      // The claim of a run that was killed between the commit and the release is left for `removeOrphans`.
      const claims = store.list(container, 'stowage-claim_')
      if (!claims.every((claim) => isCommitted(atKill, claim)))
        expect(claims, `killed before call ${nth}`).toEqual([])
      for (const claim of claims) store.delete(container, claim)
      expect(objectsOf(store), `killed before call ${nth}`).toEqual(expected)
      for (const [name, count] of stored([again])) {
        expect(count, `${name}, killed before call ${nth}`).toBe(1)
        expect(atKill.has(name), `${name}, killed before call ${nth}`).toBe(false)
      }
      expect(Buffer.compare(await restored(again, 'b1'), next)).toBe(0)
    }
    expect(kills).toBeGreaterThan(40)
  })

  it('leaves what a list, a delete and a removal of orphans treat as a killed backup', async () => {
    const from = await sourceOfTwo()
    const to = new MemoryBackupDriver(sizes)
    const { driver: dying, killed } = killedAt(12, to.store)
    await Promise.race([copyBackup(from, dying, 'b1'), killed])
    expect(to.store.list(container).length).toBeGreaterThan(2)
    expect((await to.listBackups()).map(({ id }) => id)).not.toContain('b1')
    expect((await to.removeOrphans()).objectsRemoved).toBe(0)
    age(to.store, 25)
    const { orphans } = await to.removeOrphans()
    expect(orphans.map(({ kind, outcome }) => `${kind} ${outcome}`).sort()).toEqual([
      'claim removed',
      'objects removed',
    ])
    const committed = (await to.listBackups()).map(({ prefix }) => prefix)
    expect(
      to.store.list(container).filter((name) => !committed.some((prefix) => name.startsWith(prefix))),
    ).toEqual([])
  })
})

describe('a copy that failed', () => {
  it('keeps the objects that it stored, and the next one stores the others', async () => {
    const from = await sourceOfTwo()
    const store = new MemoryStore()
    await halfCopy(from, store, 3)
    expect(store.list(container).filter((name) => name.startsWith('stowage-'))).toEqual([])
    const to = new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store }))
    const { backups } = await copyBackup(from, to, 'b0')
    expect(backups[0]).toMatchObject({ objectsCopied: 3, objectsKept: 2 })
    expect([...stored([to]).values()]).toEqual([1, 1, 1, 1, 1])
    expect(await restored(to, 'b0')).toEqual(full)
  })

  it('is aborted with ABORTED, which says how to continue', async () => {
    const from = await sourceOfTwo()
    const abort = new AbortController()
    const to = new FaultyBackupDriver(new MemoryBackupDriver(sizes), {
      faults: [
        fault.run('writer.close', {
          object: /-00002$/,
          run: () => {
            abort.abort()
          },
        }),
      ],
    })
    await expect(copyBackup(from, to, 'b1', { signal: abort.signal })).rejects.toMatchObject({
      code: 'ABORTED',
      message: expect.stringContaining('copy the backup again to continue') as string,
    })
    to.clearFaults()
    await copyBackup(from, to, 'b1')
    expect(await restored(to, 'b1')).toEqual(next)
  })

  it('stays committed where the checks after its commit cannot be made, and is found by the next one', async () => {
    const from = await sourceOfTwo()
    const to = new FaultyBackupDriver(new MemoryBackupDriver(sizes))
    to.addFault(
      fault.run('writer.close', {
        object: /_metadata$/,
        run: () => {
          to.addFault(fault.fail('getContainerEntries'))
        },
      }),
    )
    await expect(copyBackup(from, to, 'b0')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    to.clearFaults()
    expect((await to.listBackups()).map(({ id }) => id)).toEqual(['b0'])
    expect((await copyBackup(from, to, 'b0')).backups[0]).toMatchObject({ outcome: 'present' })
  })

  it.each(['before', 'after'] as const)(
    'is completed by the next one where the manifest could not be stored, by an error %s the commit',
    async (when) => {
      const from = await sourceOfTwo()
      const to = new FaultyBackupDriver(new MemoryBackupDriver(sizes), {
        faults: [fault.fail('writer.close', { object: /_metadata$/, nth: 1, when })],
      })
      await copyBackup(from, to, 'b0').catch(() => undefined)
      const { backups } = await copyBackup(from, to, 'b1')
      expect(backups.map(({ record }) => record.id)).toEqual(['b0', 'b1'])
      expect(Buffer.compare(await restored(to, 'b1'), next)).toBe(0)
    },
  )

  it('replaces an object of the same name and length that another backup left, and removes those it has not', async () => {
    const from = await sourceOfTwo()
    const store = new MemoryStore()
    await halfCopy(from, store, 3)
    const { prefix } = await from.getBackup('b0')
    store.set(container, `${prefix}-00001`, seededBytes(2048, 5))
    store.set(container, `${prefix}-00009`, seededBytes(2048, 6))
    store.set(container, `${prefix}_sha256file`, Buffer.from('{}'))
    const to = new MemoryBackupDriver({ ...sizes, store })
    const { backups } = await copyBackup(from, to, 'b0')
    expect(backups[0]).toMatchObject({ objectsCopied: 4, objectsKept: 1 })
    const ofFull = [...objectsOf(from.store)].filter(([name]) => name.startsWith(prefix))
    expect([...objectsOf(store)]).toEqual(ofFull)
  })

  it('compares objects by reading them where the store reports no MD5', async () => {
    class NoInfo extends MemoryBackupDriver {
      override objectInfo(
        ...args: Parameters<MemoryBackupDriver['objectInfo']>
      ): ReturnType<MemoryBackupDriver['objectInfo']> {
        return super.objectInfo(...args).then((info) => info && { lengthBytes: info.lengthBytes })
      }
    }
    const from = await sourceOfTwo()
    const store = new MemoryStore()
    await halfCopy(from, store, 3)
    const { prefix } = await from.getBackup('b0')
    store.set(container, `${prefix}-00001`, seededBytes(2048, 5))
    const to = new FaultyBackupDriver(new NoInfo({ ...sizes, store }))
    const { backups } = await copyBackup(from, to, 'b0')
    expect(backups[0]).toMatchObject({ objectsCopied: 4, objectsKept: 1 })
    expect(await restored(to, 'b0')).toEqual(full)
  })

  it('is not disturbed by a removal of orphans while it continues an old one', async () => {
    const from = await sourceOfTwo()
    const store = new MemoryStore()
    await halfCopy(from, store, 4)
    age(store, 25)
    const other = new MemoryBackupDriver({ ...sizes, store })
    const outcomes: string[] = []
    const to = new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store }), {
      faults: [
        // After the claim, before the first object.
        fault.run('objectInfo', {
          nth: 1,
          run: async () => {
            for (const { kind, outcome } of (await other.removeOrphans()).orphans)
              outcomes.push(`${kind} ${outcome}`)
          },
        }),
      ],
    })
    const { backups } = await copyBackup(from, to, 'b0')
    expect(outcomes.sort()).toEqual(['claim kept', 'objects kept'])
    expect(backups[0]).toMatchObject({ objectsKept: 3 })
  })
})
