import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zstd } from '../src/index.js'
import { engines, factories } from './engines.js'
import { bombs, otherStreams as golden } from './golden.js'

/** The full chunk is tried once on each engine. */
const shorter = { chunkSizeBytes: 8 * 1024 * 1024 }

for (const engine of engines) {
  const create = () => zstd({ engine })
  const streams = engine === 'node'
  compressorConformance({
    describe,
    it,
    label: `zstd on ${engine}`,
    create,
    golden,
    bombs,
    streams,
    large: true,
    program: { module: '@stowage/compression-zstd', create: `zstd({ engine: '${engine}' })` },
  })
  compressorConformance({
    describe,
    it,
    label: `level 1 on ${engine}`,
    create: () => zstd({ engine, level: 1 }),
    streams,
    ...shorter,
  })
}
compressorConformance({ describe, it, label: 'level 11', create: () => zstd({ level: 11 }), ...shorter })
crossEngineConformance({ describe, it, engines: { ...factories, level19: () => zstd({ level: 19 }) } })
