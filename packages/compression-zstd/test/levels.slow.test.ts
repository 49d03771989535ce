import { compressorConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { zstd } from '../src/index.js'
import { engines, nodeHasZstd } from './engines.js'

for (const engine of engines) {
  const streams = engine === 'node'
  compressorConformance({
    describe,
    it,
    label: `round trips of full chunks on ${engine}`,
    create: () => zstd({ engine }),
    streams,
    large: true,
  })
  compressorConformance({
    describe,
    it,
    label: `level 1 on ${engine}`,
    create: () => zstd({ engine, level: 1 }),
    streams,
  })
}
compressorConformance({
  describe,
  it,
  label: 'level 11',
  create: () => zstd({ level: 11 }),
  streams: nodeHasZstd,
})
