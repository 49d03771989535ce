import { bufferVolume, isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { RawServer } from '../../../test-fixtures/raw-server.js'
import { signedInAt } from './support.js'

const operations: Readonly<Record<string, (driver: SwiftBackupDriver) => Promise<unknown>>> = {
  listBackups: (driver) => driver.listBackups(),
  deleteBackup: (driver) => driver.deleteBackup('b-1'),
  restore: (driver) => driver.restore('b-1', bufferVolume()),
  backup: (driver) => driver.backup({ volumeId: 'v', backupId: 'b-1' }, bufferVolume(Buffer.alloc(5000))),
  checkForSetupError: (driver) => driver.checkForSetupError(),
}

const nonsense = {
  'the banner of an SSH server': 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n',
  'a chunk whose size is no number':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
  'a status that is no number': 'HTTP/1.1 ABC OK\r\n\r\n',
  'HTTP/0.9': '<html>hello</html>',
  'bytes of TLS': '\x15\x03\x01\x00\x02\x02\x46',
  nothing: '',
}

/** Fails unless the operation ends well or with a BackupError. */
async function settles(
  server: RawServer,
  operation: (driver: SwiftBackupDriver) => Promise<unknown>,
): Promise<void> {
  await using driver = new SwiftBackupDriver({
    ...signedInAt(server),
    headersTimeoutSeconds: 0.3,
    bodyTimeoutSeconds: 0.3,
  })
  try {
    await operation(driver)
  } catch (error) {
    assert.ok(isBackupError(error), `it rejected with ${String(error)}`)
    assert.notEqual(error.code, 'UNEXPECTED')
  }
}

describe('an answer that is not HTTP/1.1', () => {
  for (const [name, bytes] of Object.entries(nonsense)) {
    it(`such as ${name} fails every operation with a BackupError`, async () => {
      await using server = await RawServer.start((socket) => socket.end(Buffer.from(bytes, 'latin1')))
      for (const operation of Object.values(operations)) {
        await using driver = new SwiftBackupDriver(signedInAt(server))
        await assert.rejects(operation(driver), (error) => {
          assert.ok(isBackupError(error), String(error))
          assert.ok(['STORE_FAILED', 'STORE_UNAVAILABLE'].includes(error.code), String(error))
          return true
        })
      }
    })
  }

  it('is asked for again twice, and not as often as a server that is busy', async () => {
    await using server = await RawServer.start((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'))
    await using driver = new SwiftBackupDriver({ ...signedInAt(server), backupSwiftRetryAttempts: 10 })
    await assert.rejects(driver.listBackups(), /not HTTP\/1\.1.*Tried 3 times/)
  })

  it(
    'never makes an operation hang or fail with another error, whatever its bytes are',
    { timeout: 120_000 },
    async () => {
      const head = fc.constantFrom(
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.1 204 No Content\r\n',
        'HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-9/10\r\n',
        'HTTP/1.1 404 Not Found\r\n',
        'HTTP/1.1 102 Processing\r\n\r\n',
        'HTTP/1.0 200\r\n',
      )
      const field = fc.constantFrom(
        'Content-Length: 10\r\n',
        'Content-Length: 99999999999999999999\r\n',
        'Content-Length: -1\r\n',
        'Transfer-Encoding: chunked\r\n',
        'Connection: close\r\n',
        'ETag: "x"\r\n',
        'Retry-After: soon\r\n',
        'X-Storage-Policy:\r\n',
        'Content-Encoding: gzip\r\n',
      )
      const body = fc.oneof(
        fc.constantFrom(
          '[]',
          '[{"name":"volume_v/x_backup_b-1_metadata"}]',
          '{}',
          'null',
          '5\r\nhello\r\n',
          '[{"name":1}]',
        ),
        fc.string({ unit: 'binary', maxLength: 60 }),
      )
      const answer = fc
        .tuple(head, fc.array(field, { maxLength: 4 }), body, fc.nat(30))
        .map(([first, fields, rest, cut]) => {
          const text = `${first}${fields.join('')}\r\n${rest}`
          return cut < 8 ? text.slice(0, text.length - cut) : text
        })
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(answer, fc.string({ unit: 'binary', maxLength: 100 })),
          fc.constantFrom(...Object.keys(operations)),
          async (text, name) => {
            await using server = await RawServer.start((socket) => socket.end(Buffer.from(text, 'utf8')))
            await settles(server, operations[name]!)
          },
        ),
        { numRuns: 150 },
      )
    },
  )
})
