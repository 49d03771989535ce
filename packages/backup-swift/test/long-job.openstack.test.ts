import { bufferVolume, randomAccessVolume } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'vitest'
import type { SwiftStoreOptions } from '../src/index.js'
import { getBackupDriver } from '../src/index.js'
import { lab, passwordOf, plainRegion, theLab } from './lab.js'
import { patterned } from '../../../test-fixtures/patterned.js'

/** How long the job takes: several lives of its tokens. */
const jobSeconds = Number(process.env['STOWAGE_LONG_JOB_SECONDS'] ?? 75)
const readBytes = 64 * 1024

describe.skipIf(!lab)('a job that outlives its tokens', () => {
  it(
    `backs up for ${jobSeconds} s with tokens of 20 s, and no failed request reaches the caller`,
    { timeout: (jobSeconds + 120) * 1000 },
    async () => {
      const { users, shortTokenKeystoneUrl, shortTokenSeconds } = theLab()
      assert.ok(jobSeconds > 2 * shortTokenSeconds)
      const options: SwiftStoreOptions = {
        ...plainRegion(),
        // None of the retries is needed: a renewal is no failure.
        backupSwiftRetryAttempts: 0,
        credentials: passwordOf(users.demo, shortTokenKeystoneUrl),
        container: `long-${randomUUID()}`,
        chunkSizeBytes: readBytes,
      }
      await using driver = await getBackupDriver(options)
      const bytes = patterned(60 * readBytes, 3)
      let reads = 0
      let lastRead = Promise.resolve()
      const pauseMs = (jobSeconds * 1000) / (bytes.byteLength / readBytes)
      const slow = randomAccessVolume({
        size: bytes.byteLength,
        async read(offset, length) {
          reads += 1
          // One after the other: the engine reads several chunks concurrently.
          lastRead = lastRead.then(() => sleep(pauseMs))
          await lastRead
          return bytes.subarray(offset, offset + length)
        },
      })
      const startedAt = performance.now()
      const record = await driver.backup({ volumeId: randomUUID() }, slow)
      assert.ok(
        performance.now() - startedAt > 2 * shortTokenSeconds * 1000 || reads < 10,
        'the job was long',
      )
      await driver.verify(record, { level: 'full' })
      const target = bufferVolume()
      await driver.restore(record, target)
      assert.ok(bytes.equals(target.bytes))
      await driver.deleteBackup(record)
    },
  )
})
