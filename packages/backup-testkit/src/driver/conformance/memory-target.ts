import { BackupError } from '@stowage/backup-core'
import type { OpenTarget, TargetRequirements, VolumeTarget } from '@stowage/backup-core'

/** A target in memory: a new one that reads as zeros, or one that holds something. */
export class MemoryTarget implements VolumeTarget {
  /** What the target holds. */
  bytes: Uint8Array
  readonly #isNew: boolean
  readonly #resizable: boolean

  /**
   * Without `contents` a new target, which takes the volume's size. With them an existing one that keeps its size
   * unless it is `resizable`.
   */
  constructor(contents?: Uint8Array, options: { readonly resizable?: boolean } = {}) {
    this.bytes = contents === undefined ? new Uint8Array() : Uint8Array.from(contents)
    this.#isNew = contents === undefined
    this.#resizable = options.resizable ?? this.#isNew
  }

  openTarget(requirements: TargetRequirements): Promise<OpenTarget> {
    return new Promise((resolve) => {
      resolve(this.#open(requirements))
    })
  }

  #open({ volumeSizeBytes, endBytes, partial, overwrite }: TargetRequirements): OpenTarget {
    if (!this.#isNew && !overwrite) throw new BackupError('TARGET_NOT_EMPTY', 'The target holds something.')
    if (this.#resizable) this.#resize(partial ? Math.max(endBytes, this.bytes.byteLength) : volumeSizeBytes)
    if (this.bytes.byteLength < endBytes)
      throw new BackupError('TARGET_TOO_SMALL', 'The target is too small.')
    return {
      readsAsZeros: this.#isNew,
      write: (bytes, offsetBytes) => {
        this.bytes.set(bytes, offsetBytes)
        return Promise.resolve()
      },
      finish: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }
  }

  #resize(sizeBytes: number): void {
    const resized = new Uint8Array(sizeBytes)
    resized.set(this.bytes.subarray(0, sizeBytes))
    this.bytes = resized
  }
}
