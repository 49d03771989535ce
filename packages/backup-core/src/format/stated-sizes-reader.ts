import { IntegerField, type FieldReader, type JsonProblems } from './field-reader.js'
import type { StatedSizes } from './metadata-types.js'

/** Reads the keys of {@link StatedSizes}. */
export class StatedSizesReader {
  readonly #chunkSize: IntegerField
  readonly #blockSize: IntegerField
  readonly #data: IntegerField
  readonly #sha256file: IntegerField

  constructor(problems: JsonProblems) {
    const field = (key: string, min: number): IntegerField =>
      new IntegerField(key, problems, { required: false, min, max: Number.MAX_SAFE_INTEGER })
    this.#chunkSize = field('stowage_chunk_size_bytes', 1)
    this.#blockSize = field('stowage_block_size_bytes', 1)
    this.#data = field('stowage_data_bytes', 0)
    this.#sha256file = field('stowage_sha256file_bytes', 0)
  }

  get fields(): readonly FieldReader[] {
    return [this.#chunkSize, this.#blockSize, this.#data, this.#sha256file]
  }

  /** Undefined where one of the keys is missing: the others alone are of no use. */
  get value(): StatedSizes | undefined {
    const chunkSizeBytes = this.#chunkSize.value
    const blockSizeBytes = this.#blockSize.value
    const storedDataBytes = this.#data.value
    const sha256fileBytes = this.#sha256file.value
    if (chunkSizeBytes === null || blockSizeBytes === null) return undefined
    if (storedDataBytes === null || sha256fileBytes === null) return undefined
    return { chunkSizeBytes, blockSizeBytes, storedDataBytes, sha256fileBytes }
  }
}
