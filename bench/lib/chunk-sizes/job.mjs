// One job of bench/chunk-sizes.mjs, in a process of its own. Prints what its progress looked like, as JSON.
import { createReadStream } from 'node:fs'
import { fileVolume, streamVolume } from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { compressorOf } from './compressors.mjs'

const { job, path, image, target, chunkSizeBytes, compression } = JSON.parse(process.argv[2] ?? '{}')

const compressor = await compressorOf(compression)
const driver = new PosixBackupDriver({
  path,
  create: true,
  container: 'backups',
  chunkSizeBytes,
  ...(compressor ? { compression: compressor } : {}),
})
const startedMs = performance.now()
let reports = 0
let lastDone = 0
let movedAtMs = startedMs
let longestStillMs = 0

function onProgress({ done }) {
  reports += 1
  if (done === lastDone) return
  still()
  lastDone = done
}

/** How long nothing had moved. */
function still() {
  const nowMs = performance.now()
  longestStillMs = Math.max(longestStillMs, nowMs - movedAtMs)
  movedAtMs = nowMs
}

const jobs = {
  backup: () => driver.backup({ volumeId: 'v' }, fileVolume(image), { onProgress }),
  stream: () => driver.backup({ volumeId: 'v' }, streamVolume(createReadStream(image)), { onProgress }),
  incremental: () => driver.backup({ volumeId: 'v', incremental: true }, fileVolume(image), { onProgress }),
  restore: async () => driver.restore(await newest(), fileVolume(target, { create: true }), { onProgress }),
  verify: async () => driver.verify(await newest(), { level: 'full', onProgress }),
  range: async () => {
    const range = { offsetBytes: 300 * 2 ** 20, lengthBytes: 512 * 1024 }
    return driver.restore(await newest(), fileVolume(target, { create: true }), { range, onProgress })
  },
}

async function newest() {
  return (await driver.listBackups()).at(-1)
}

await jobs[job]()
still()
await driver.close()
await compressor?.close?.()
console.log(JSON.stringify({ reports, longestStillMs, seconds: (performance.now() - startedMs) / 1000 }))
