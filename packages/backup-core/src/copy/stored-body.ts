import type { ReplayableBody } from '../contracts/object-store.js'
import { BackupError } from '../errors/backup-error.js'

/** Reads an object, passes each piece on, and resolves when all of it has been verified. */
export type VerifiedRead = (use: (piece: Uint8Array) => Promise<void>) => Promise<void>

/**
 * The body of an object that is copied while it is read, since memory does not hold it. Its last byte is withheld until the
 * object is verified: a store never completes a damaged one. Each attempt to send it reads the source again.
 */
export class StoredBody implements ReplayableBody {
  readonly lengthBytes: number
  readonly md5?: () => Promise<string>
  readonly #read: VerifiedRead
  #handover: Handover | undefined
  #failure: unknown

  /** @param md5 - of the stored bytes, where it is known */
  constructor(lengthBytes: number, read: VerifiedRead, md5: string | undefined) {
    this.lengthBytes = lengthBytes
    this.#read = read
    if (md5 !== undefined) this.md5 = () => Promise.resolve(md5)
  }

  /** Why the source could not be read, whatever error the destination made of it. */
  get failure(): unknown {
    return this.#failure
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    this.#handover?.stop()
    const handover = new Handover()
    this.#handover = handover
    this.#failure = undefined
    const reading = this.#read((piece) => handover.offer(piece)).then(
      () => {
        handover.end()
      },
      (error: unknown) => {
        handover.end({ error })
      },
    )
    let leftBytes = this.lengthBytes
    let lastByte: Uint8Array | undefined
    try {
      for await (const piece of handover.pieces()) {
        if (piece.length > leftBytes) throw lengthChanged()
        leftBytes -= piece.length
        if (leftBytes > 0 || piece.length === 0) yield piece
        else {
          lastByte = Uint8Array.from(piece.subarray(-1))
          yield piece.subarray(0, -1)
        }
      }
      if (leftBytes > 0) throw lengthChanged()
      if (lastByte) yield lastByte
    } catch (error) {
      this.#failure = error
      throw error
    } finally {
      handover.stop()
      await reading
    }
  }
}

function lengthChanged(): BackupError {
  return new BackupError(
    'OBJECT_CORRUPT',
    'The object was replaced by one of another length while it was copied.',
  )
}

/** Passes pieces from one loop to another. A piece is valid until the next one is requested. */
class Handover {
  #offered:
    { readonly piece: Uint8Array; readonly taken: () => void; readonly refuse: () => void } | undefined
  #end: { readonly error?: unknown } | undefined
  #stopped = false
  #wake: () => void = () => undefined

  /** Resolves when the piece has been used; rejects where no more are wanted. */
  offer(piece: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        reject(new BackupError('ABORTED', 'No more of the object was requested.'))
      }
      if (this.#stopped) {
        refuse()
        return
      }
      this.#offered = { piece, taken: resolve, refuse }
      this.#wake()
    })
  }

  /** Ends the pieces, with an error where there is one. */
  end(end: { readonly error?: unknown } = {}): void {
    this.#end ??= end
    this.#wake()
  }

  /** Refuses all further pieces. */
  stop(): void {
    this.#stopped = true
    this.#offered?.refuse()
    this.#offered = undefined
    this.end()
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const offered = this.#offered
      if (offered) {
        yield offered.piece
        this.#offered = undefined
        offered.taken()
      } else if (this.#end) {
        if ('error' in this.#end) throw this.#end.error
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
