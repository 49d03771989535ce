import { isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import type { SwiftObjectWriter } from '../src/index.js'
import type { Fault, SeenRequest } from '../../../test-fixtures/test-cloud/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'
import { patterned } from '../../../test-fixtures/patterned.js'

const ours = patterned(3_000_000, 1)
const theirs = patterned(3_000_000, 2)

let cloud: TestCloud
let driver: SwiftBackupDriver
beforeEach(async () => {
  cloud = await TestCloud.start()
  driver = new SwiftBackupDriver({ ...fast, headersTimeoutSeconds: 2, credentials: demoPassword(cloud) })
  await driver.putContainer('c', {})
})
afterEach(async () => {
  await driver.close()
  await cloud.close()
})

/** A writer with a body that is summed while it is sent, as a chunk's is; null for one that sends its MD5 ahead. */
async function exclusiveWriter(bytes: Uint8Array, summed: boolean): Promise<SwiftObjectWriter> {
  const writer = await driver.getObjectWriter('c', 'o', { extraMetadata: null, exclusive: true })
  let md5: string | undefined
  await writer.writeFrom({
    lengthBytes: bytes.byteLength,
    ...(summed ? { md5OfStream: () => Promise.resolve(md5) } : {}),
    async *stream() {
      md5 = undefined
      yield await Promise.resolve(bytes)
      md5 = createHash('md5').update(bytes).digest('hex')
    },
  })
  return writer
}

/** Puts an object of another writer in place when the writer asks whose object there is. */
function otherWriterComesBefore(method: string): void {
  let came = false
  cloud.faults.add({
    fault: { kind: 'reset-before' },
    when: (seen) => {
      if (!came && seen.method === method && isTheObject(seen)) {
        came = true
        cloud.store.put(cloud.demo.get('c')!, 'o', theirs, { 'x-object-meta-stowage-writer': 'another' })
      }
      return false
    },
  })
}

const isTheObject = ({ target }: SeenRequest): boolean => target.endsWith('/c/o')
const isThePut = (seen: SeenRequest): boolean => seen.method === 'PUT' && isTheObject(seen)
const stored = (): Uint8Array | undefined => cloud.demo.get('c')!.objects.get('o')?.bytes
const sent = (method: string): number =>
  cloud.requests.filter((seen) => seen.method === method && isTheObject(seen)).length
const is = (code: BackupErrorCode) => (error: unknown) => {
  assert.ok(isBackupError(error, code), String(error))
  return true
}

describe('an object that is created exclusively', () => {
  for (const summed of [true, false]) {
    const body = summed ? 'summed while it is sent' : 'whose MD5 goes ahead'

    const mended: Fault[] = [
      { kind: 'reset-before' },
      { kind: 'reset-during' },
      { kind: 'reset-after' },
      { kind: 'stall' },
      { kind: 'status', status: 503 },
      { kind: 'status-after', status: 503 },
      { kind: 'lying-etag' },
      { kind: 'revoke-tokens' },
    ]
    for (const fault of mended) {
      it(`is stored after ${fault.kind}, with a body ${body}`, async () => {
        cloud.faults.add({ fault, when: isThePut })
        const writer = await exclusiveWriter(ours, summed)
        await writer.close()
        assert.ok(ours.equals(stored()!))
      })
    }

    it(`is CONFLICT where it exists, and is left as it is, with a body ${body}`, async () => {
      cloud.store.put(cloud.demo.get('c')!, 'o', ours)
      const before = cloud.demo.get('c')!.objects.get('o')
      const writer = await exclusiveWriter(ours, summed)
      await assert.rejects(writer.close(), is('CONFLICT'))
      await writer.abort()
      assert.equal(cloud.demo.get('c')!.objects.get('o'), before)
      assert.deepEqual([sent('PUT'), sent('DELETE')], [1, 0])
    })

    it(`is CONFLICT where another writer stored it after an attempt that was lost, with a body ${body}`, async () => {
      otherWriterComesBefore('HEAD')
      cloud.faults.add({ fault: { kind: 'reset-before' }, when: isThePut })
      const writer = await exclusiveWriter(ours, summed)
      await assert.rejects(writer.close(), is('CONFLICT'))
      await writer.abort()
      assert.ok(theirs.equals(stored()!))
      assert.equal(sent('DELETE'), 0)
    })
  }

  it('is stored where something on the way sends the request twice, so that the first answer is a 412', async () => {
    cloud.faults.add({ fault: { kind: 'status-after', status: 412 }, when: isThePut })
    const writer = await exclusiveWriter(ours, true)
    await writer.close()
    assert.ok(ours.equals(stored()!))
  })

  it('is CONFLICT where the answer says that a newer object won, and that object is kept', async () => {
    otherWriterComesBefore('HEAD')
    cloud.faults.add({ fault: { kind: 'status-after', status: 202 }, when: isThePut })
    const writer = await exclusiveWriter(ours, false)
    await assert.rejects(writer.close(), is('CONFLICT'))
    await writer.abort()
    assert.ok(theirs.equals(stored()!))
  })

  it('is CONFLICT as a claim where a gateway ignores the condition, and where another writer replaced it', async () => {
    const claim = async (): Promise<void> => {
      const options = { extraMetadata: null, exclusive: true, claim: true }
      const writer = await driver.getObjectWriter('c', 'o', options)
      await writer.write(ours)
      await writer.close().finally(() => writer.abort())
    }
    cloud.store.put(cloud.demo.get('c')!, 'o', theirs)
    cloud.faults.add({ fault: { kind: 'status-after', status: 201 }, when: isThePut, times: Infinity })
    await assert.rejects(claim(), is('CONFLICT'))
    assert.equal(sent('PUT'), 0)
    cloud.faults.clear()
    cloud.demo.get('c')!.objects.clear()
    // The first HEAD finds no object; the one after the claim has settled finds that of a writer that began before.
    let heads = 0
    cloud.faults.add({
      fault: { kind: 'reset-before' },
      when: (seen) => {
        if (seen.method === 'HEAD' && isTheObject(seen) && ++heads === 2)
          cloud.store.put(cloud.demo.get('c')!, 'o', theirs)
        return false
      },
    })
    await assert.rejects(claim(), is('CONFLICT'))
    assert.ok(theirs.equals(stored()!))
  })

  it('is OBJECT_CORRUPT where the answer has no ETag and its own object has other bytes, and is removed by abort', async () => {
    let puts = 0
    cloud.faults.add({
      fault: { kind: 'status-after', status: 202 },
      when: (seen) => isThePut(seen) && ++puts > 0,
    })
    cloud.faults.add({
      fault: { kind: 'reset-before' },
      when: (seen) => {
        const object = cloud.demo.get('c')!.objects.get('o')
        if (seen.method === 'HEAD' && isTheObject(seen) && object)
          cloud.store.put(cloud.demo.get('c')!, 'o', theirs, object.metadata)
        return false
      },
    })
    const writer = await exclusiveWriter(ours, false)
    await assert.rejects(writer.close(), is('OBJECT_CORRUPT'))
    await writer.abort()
    assert.equal(stored(), undefined)
  })

  it('is STORE_FAILED as a claim where it is deleted before the claim has settled', async () => {
    const options = { extraMetadata: null, exclusive: true, claim: true }
    const writer = await driver.getObjectWriter('c', 'o', options)
    await writer.write(ours)
    let heads = 0
    cloud.faults.add({
      fault: { kind: 'reset-before' },
      when: (seen) => {
        if (seen.method === 'HEAD' && isTheObject(seen) && ++heads === 2) cloud.demo.get('c')!.objects.clear()
        return false
      },
    })
    await assert.rejects(writer.close(), is('STORE_FAILED'))
    await writer.abort()
    assert.equal(stored(), undefined)
  })

  it('is removed by abort where every answer was lost, and only while it is this writer’s own', async () => {
    for (const other of [false, true]) {
      cloud.demo.get('c')!.objects.clear()
      cloud.faults.clear()
      cloud.faults.add({ fault: { kind: 'reset-after' }, when: isThePut, times: 4 })
      const writer = await exclusiveWriter(ours, true)
      await assert.rejects(writer.close(), is('STORE_UNAVAILABLE'))
      assert.ok(ours.equals(stored()!))
      if (other) cloud.store.put(cloud.demo.get('c')!, 'o', ours)
      await writer.abort()
      assert.equal(stored() !== undefined, other)
    }
  })
})
