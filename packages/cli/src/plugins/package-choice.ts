/** The package of a backend or a compressor that the user chose: `NAME=PACKAGE`. */
export interface PackageChoice {
  /** The scheme of store URLs, or the name of a compression algorithm. */
  readonly name: string
  /** The name of an installed package, or the path of a module: `./my-backend.js`. */
  readonly packageName: string
}

/**
 * Parses `NAME=PACKAGE`.
 *
 * @throws RangeError where it is malformed
 */
export function parsePackageChoice(text: string): PackageChoice {
  const match = /^([a-z0-9][a-z0-9+_.-]*)=(.+)$/i.exec(text.trim())
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new RangeError(`"${text}" is not NAME=PACKAGE, such as x=stowage-backup-x or x=./my-backend.js.`)
  }
  return { name: match[1].toLowerCase(), packageName: match[2] }
}

/** The package that the user chose for a name: the last choice counts. */
export function chosenPackage(choices: readonly PackageChoice[] = [], name: string): string | undefined {
  return choices.findLast((choice) => choice.name === name)?.packageName
}
