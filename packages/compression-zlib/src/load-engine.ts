import type NodeZlib from 'node:zlib'
import { BackupError } from '@stowage/backup-core'
import type { ZlibEngine } from './engine.js'
import type { ZlibEngineName } from './options.js'

/** Loads the engine of that name; an engine that is not used is never loaded. */
export async function loadEngine(name: ZlibEngineName): Promise<ZlibEngine> {
  const nodeZlib = name === 'pako' ? undefined : findNodeZlib()
  if (nodeZlib !== undefined) {
    const { nodeEngine } = await import('./node/node-engine.js')
    return nodeEngine(nodeZlib)
  }
  if (name === 'node') {
    throw new BackupError('OPTION_INVALID', "Node's zlib is not to be had here: use the engine auto or pako.")
  }
  const { pakoEngine } = await import('./pako/pako-engine.js')
  return pakoEngine
}

/** Asked of the process, and not imported, so that a bundle for a place without `node:zlib` still loads. */
function findNodeZlib(): typeof NodeZlib | undefined {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> }
  return process?.getBuiltinModule?.('node:zlib')
}
