import type NodeZlib from 'node:zlib'

/** Fits what a piece of 512 KiB of mixed data becomes, so that most pieces come in one part. */
const outputPieceBytes = 256 * 1024

/** Deflates single pieces of a stream. */
export interface PieceDeflater {
  /** Deflates `raw`, which follows `before`, up to a whole byte. */
  piece(raw: Uint8Array, before: Uint8Array): Promise<Uint8Array>
  /** The same for zeros, from memory where that length was met before. */
  zeros(lengthBytes: number): Promise<Uint8Array>
}

/** What zeros of a length become at a level, by `level:length`. A full piece is some 520 bytes; other lengths are rare. */
const rememberedZeros = new Map<string, Promise<Uint8Array>>()
const mostRemembered = 64

export function pieceDeflater(nodeZlib: typeof NodeZlib, level: number): PieceDeflater {
  const piece = (raw: Uint8Array, before: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const options: NodeZlib.ZlibOptions = {
        level,
        chunkSize: outputPieceBytes,
        finishFlush: nodeZlib.constants.Z_SYNC_FLUSH,
      }
      if (before.length > 0) options.dictionary = before
      nodeZlib.deflateRaw(raw, options, (error, deflated) => {
        if (error === null) resolve(deflated)
        else reject(error)
      })
    })

  const zeros = (lengthBytes: number): Promise<Uint8Array> => {
    const key = `${level}:${lengthBytes}`
    const remembered = rememberedZeros.get(key)
    if (remembered !== undefined) return remembered
    if (rememberedZeros.size >= mostRemembered) rememberedZeros.clear()
    const deflated = piece(new Uint8Array(lengthBytes), new Uint8Array(0))
    rememberedZeros.set(key, deflated)
    deflated.catch(() => rememberedZeros.delete(key))
    return deflated
  }

  return { piece, zeros }
}
