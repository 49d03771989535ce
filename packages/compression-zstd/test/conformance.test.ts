import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zstd } from '../src/index.js'
import { engines, factories } from './engines.js'
import { bombs, otherStreams as golden } from './golden.js'

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
    program: { module: '@stowage/compression-zstd', create: `zstd({ engine: '${engine}' })` },
  })
}
crossEngineConformance({ describe, it, engines: { ...factories, level19: () => zstd({ level: 19 }) } })
