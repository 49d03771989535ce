import { BackupError } from '@stowage/backup-core'
import type { ZstdEngine } from './engine.js'
import { findNodeZstd } from './node/node-zstd.js'
import type { ZstdEngineName } from './options.js'

/** Loads the engine of that name; an engine that is not used is never loaded. */
export async function loadEngine(name: ZstdEngineName): Promise<ZstdEngine> {
  const nodeZstd = name === 'wasm' ? undefined : findNodeZstd()
  if (nodeZstd !== undefined) {
    const { nodeEngine } = await import('./node/node-engine.js')
    return nodeEngine(nodeZstd)
  }
  if (name === 'node') {
    throw new BackupError(
      'OPTION_INVALID',
      "Node's own zstd is not to be had here: use Node 22.15 or later, or the engine auto or wasm.",
    )
  }
  const { wasmEngine } = await import('./wasm/wasm-engine.js')
  return wasmEngine
}
