import { deflateSync } from 'node:zlib'
import type { BombStream } from '../../src/compressor/index.js'

/** Opens to more than the suite lets a bomb take. */
export const longBomb: BombStream = {
  name: 'zeros',
  compressed: deflateSync(new Uint8Array(256 * 1024 * 1024), { level: 1 }),
}
