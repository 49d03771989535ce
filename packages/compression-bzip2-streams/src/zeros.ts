import type { Bzip2Engine } from './engine.js'
import { compressInWorker } from './run-engine.js'

/** What zeros of a length become at a level, by `level:length`: some 40 bytes each. */
type Remembered = Map<string, Promise<Uint8Array>>

const rememberedByEngine = new WeakMap<Bzip2Engine, Remembered>()
const mostRemembered = 64

/** Compresses zeros, once for each engine, length and level. */
export function zerosCompressed(engine: Bzip2Engine, zeros: Uint8Array, level: number): Promise<Uint8Array> {
  const remembered = rememberedBy(engine)
  const key = `${level}:${zeros.length}`
  const known = remembered.get(key)
  if (known !== undefined) return known
  if (remembered.size >= mostRemembered) remembered.clear()
  const stream = compressOnce(engine, zeros, level)
  remembered.set(key, stream)
  stream.catch(() => remembered.delete(key))
  return stream
}

function rememberedBy(engine: Bzip2Engine): Remembered {
  const known = rememberedByEngine.get(engine)
  if (known !== undefined) return known
  const fresh: Remembered = new Map()
  rememberedByEngine.set(engine, fresh)
  return fresh
}

async function compressOnce(engine: Bzip2Engine, zeros: Uint8Array, level: number): Promise<Uint8Array> {
  const { bytes, free } = await compressInWorker(engine, zeros, level)
  const own = bytes.slice()
  free()
  return own
}
