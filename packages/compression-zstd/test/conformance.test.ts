import { compressorConformance, crossEngineConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zstd } from '../src/index.js'
import { engines, factories } from './engines.js'
import { otherStreams as golden } from './golden.js'

for (const engine of engines) {
  const create = () => zstd({ engine })
  compressorConformance({ describe, it, label: `zstd on ${engine}`, create, golden, large: true })
  compressorConformance({
    describe,
    it,
    label: `level 1 on ${engine}`,
    create: () => zstd({ engine, level: 1 }),
  })
}
compressorConformance({ describe, it, label: 'level 11', create: () => zstd({ level: 11 }) })
crossEngineConformance({ describe, it, engines: { ...factories, level19: () => zstd({ level: 19 }) } })
