import { zstd } from '../src/index.js'
import type { ZstdOptions } from '../src/index.js'
import { findNodeZstd } from '../src/node-zstd.js'

/** Whether this Node has a zstd of its own. */
export const nodeHasZstd: boolean = findNodeZstd() !== undefined

/** The engines that run here. */
export const engines: readonly NonNullable<ZstdOptions['engine']>[] = nodeHasZstd
  ? ['wasm', 'node']
  : ['wasm']

/** How to make a compressor on each of them. */
export const factories = Object.fromEntries(engines.map((engine) => [engine, () => zstd({ engine })]))
