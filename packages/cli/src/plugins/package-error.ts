/** Why a package cannot be used. A backend and a compressor report it with different codes. */
export type PackageFault = 'missing' | 'ambiguous' | 'invalid'

/** A package of a backend or a compressor cannot be used. */
export class PackageError extends Error {
  constructor(
    readonly fault: PackageFault,
    message: string,
    /** What to do next. */
    readonly hint: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PackageError'
  }
}
