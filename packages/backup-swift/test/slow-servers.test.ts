import { isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'vitest'
import { resolveOptions } from '../src/config/resolve-options.js'
import { connect } from '../src/connect.js'
import { listObjects } from '../src/swift/containers.js'
import type { SwiftDriverOptions } from '../src/index.js'
import { SwiftBackupDriver } from '../src/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { everyTick, RawServer } from '../../../test-fixtures/raw-server.js'
import { demoPassword, fast, signedInAt } from './support.js'
import { patterned } from '../../../test-fixtures/patterned.js'

/** Nothing but the limit that the test is about is ever reached. */
const patient: SwiftDriverOptions = {
  headersTimeoutSeconds: 60,
  bodyTimeoutSeconds: 60,
  progressWindowSeconds: 60,
  exchangeTimeoutSeconds: 60,
}
const options = { extraMetadata: null }
const is =
  (code: BackupErrorCode, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }

async function read(server: RawServer, limits: SwiftDriverOptions): Promise<Uint8Array> {
  await using driver = new SwiftBackupDriver({ ...signedInAt(server), ...patient, ...limits })
  return await (await driver.getObjectReader('c', 'o', options)).read()
}

async function list(server: RawServer, limits: SwiftDriverOptions): Promise<string[]> {
  await using driver = new SwiftBackupDriver({ ...signedInAt(server), ...patient, ...limits })
  const names: string[] = []
  for await (const name of driver.getContainerEntries('c', '', {})) names.push(name)
  return names
}

describe('a server that goes on and gets nowhere is STORE_UNAVAILABLE', () => {
  const floor = { minBytesPerSecond: 100_000, progressWindowSeconds: 0.2 }

  it('where an object comes a byte at a time', async () => {
    await using server = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
      everyTick(socket, () => socket.write('x'))
    })
    await assert.rejects(read(server, floor), is('STORE_UNAVAILABLE', /sent \d+ bytes.*minBytesPerSecond/))
  })

  it('where a listing without a length comes a byte at a time', async () => {
    await using server = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[')
      everyTick(socket, () => socket.write(' '))
    })
    await assert.rejects(list(server, floor), is('STORE_UNAVAILABLE', /minBytesPerSecond/))
  })

  it('where 102 Processing comes again and again, and no answer', async () => {
    await using server = await RawServer.start((socket) => {
      everyTick(socket, () => socket.write('HTTP/1.1 102 Processing\r\n\r\n'))
    })
    const limits = { headersTimeoutSeconds: 0.3 }
    await assert.rejects(read(server, limits), is('STORE_UNAVAILABLE', /headersTimeoutSeconds/))
  })

  it('where the head of the answer comes a byte at a time', async () => {
    await using server = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ')
      everyTick(socket, () => socket.write('x'))
    })
    const limits = { headersTimeoutSeconds: 0.3 }
    await assert.rejects(read(server, limits), is('STORE_UNAVAILABLE', /headersTimeoutSeconds/))
  })

  it('where an answer without end comes fast enough, but for longer than one may take', async () => {
    await using server = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[')
      everyTick(socket, () => socket.write(' '.repeat(1000)))
    })
    const limits = { exchangeTimeoutSeconds: 0.4, minBytesPerSecond: 1 }
    await assert.rejects(list(server, limits), is('STORE_UNAVAILABLE', /exchangeTimeoutSeconds/))
  })

  it('where it does not read the body that it is sent', async () => {
    await using server = await RawServer.start(() => undefined, { readsBodies: false })
    await using driver = new SwiftBackupDriver({
      ...signedInAt(server),
      ...patient,
      headersTimeoutSeconds: 0.4,
    })
    const writer = await driver.getObjectWriter('c', 'o', options)
    await writer.writeFrom({
      lengthBytes: 64 * 1024 * 1024,
      md5: () => Promise.resolve('0'.repeat(32)),
      async *stream() {
        for (let n = 0; n < 64; n += 1) yield await Promise.resolve(Buffer.alloc(1024 * 1024))
      },
    })
    await assert.rejects(writer.close(), is('STORE_UNAVAILABLE', /took too long to accept/))
  })

  it('and is tried again as often as the policy says', async () => {
    await using server = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
      everyTick(socket, () => socket.write('x'))
    })
    await assert.rejects(
      read(server, { ...floor, backupSwiftRetryAttempts: 2 }),
      is('STORE_UNAVAILABLE', /Tried 3 times/),
    )
    assert.equal(server.requests, 3)
  })
})

describe('a server that takes its time for a reason', () => {
  it('is not blamed for a source that is slow', async () => {
    await using cloud = await TestCloud.start()
    await using driver = new SwiftBackupDriver({
      ...fast,
      ...patient,
      backupSwiftRetryAttempts: 0,
      headersTimeoutSeconds: 0.5,
      progressWindowSeconds: 0.5,
      exchangeTimeoutSeconds: 1,
      minBytesPerSecond: 1_000_000,
      credentials: demoPassword(cloud),
    })
    await driver.putContainer('c', {})
    const bytes = patterned(300_000, 1)
    const writer = await driver.getObjectWriter('c', 'o', options)
    await writer.writeFrom({
      lengthBytes: bytes.byteLength,
      md5OfStream: () => Promise.resolve(undefined),
      async *stream() {
        for (let at = 0; at < bytes.byteLength; at += 100_000) {
          await sleep(700)
          yield bytes.subarray(at, at + 100_000)
        }
      },
    })
    // Its MD5 is not said here, so the answer's ETag cannot be it; what counts is that the whole body was taken.
    await assert.rejects(writer.close(), is('OBJECT_CORRUPT', /not sent whole/))
  })

  it('may send a space now and then while it deletes', async () => {
    await using server = await RawServer.start((socket, head) => {
      if (!head.startsWith('POST')) {
        socket.end(
          'HTTP/1.1 200 OK\r\nContent-Length: 49\r\n\r\n{"bulk_delete":{"max_deletes_per_request":10000}}',
        )
        return
      }
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
      let spaces = 0
      everyTick(socket, () => {
        spaces += 1
        if (spaces < 60) socket.write(' ')
        else if (spaces === 60) socket.end('{"Response Status":"200 OK","Errors":[],"Number Deleted":2}')
      })
    })
    const limits = { ...patient, minBytesPerSecond: 1_000_000, progressWindowSeconds: 0.1 }
    await using driver = new SwiftBackupDriver({ ...signedInAt(server), ...limits })
    assert.deepEqual(await driver.deleteObjects('c', ['a', 'b'], {}), [])
  })
})

describe('a listing', () => {
  const page = (socket: Socket, names: readonly string[]): void => {
    const body = JSON.stringify(names.map((name) => ({ name })))
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  }
  const listedBy = async (
    server: RawServer,
    collection: { pageNames: number; maxPages?: number },
  ): Promise<number> => {
    const all = { ...signedInAt(server), ...patient }
    const transport = connect(all, resolveOptions(all))
    let names = 0
    try {
      for await (const name of listObjects(transport, 'c', '', {}, collection)) names += name === '' ? 0 : 1
    } finally {
      await transport.close()
    }
    return names
  }

  it('that does not end is LISTING_INVALID', async () => {
    let next = 0
    await using server = await RawServer.start((socket) => {
      next += 1
      page(socket, [`volume_v/${String(next).padStart(9, '0')}_metadata`])
    })
    const listing = listedBy(server, { pageNames: 10, maxPages: 20 })
    await assert.rejects(listing, is('LISTING_INVALID', /not ended after 20 pages/))
  })

  it('of which a page has more names, or more bytes, than were asked for is LISTING_INVALID', async () => {
    await using server = await RawServer.start((socket) => {
      page(socket, ['a', 'b', 'c'])
    })
    await assert.rejects(listedBy(server, { pageNames: 2 }), is('LISTING_INVALID', /3 names, and 2/))
    await using endless = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[')
      everyTick(socket, () => socket.write(' '.repeat(10_000)))
    })
    await assert.rejects(listedBy(endless, { pageNames: 2 }), is('LISTING_INVALID', /longer than/))
  })
})
