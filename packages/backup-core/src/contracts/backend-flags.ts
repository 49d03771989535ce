/** What the text of a flag on the command line stands for. */
export type BackendFlagKind = 'text' | 'whole-number' | 'duration' | 'size' | 'boolean'

/** An option of the `stowage` command that one backend has. */
export interface BackendFlag {
  /** For the help of the command: a phrase in lower case, without a full stop. */
  readonly description: string
  /**
   * How the text is parsed: as it is, as a whole number, as a time in milliseconds (`30s`, `5m`), as a size in bytes (`64M`),
   * or as a flag without a value. The command rejects any other text. @default 'text'
   */
  readonly kind?: BackendFlagKind
  /** The name of the value in the help: `file` is shown as `<file>`. @default by the kind */
  readonly valueName?: string
  /** The environment variable that sets the option where the command line does not. @default none */
  readonly env?: string
}

/** The flags of a backend by their names: `s3-endpoint` for `--s3-endpoint`. */
export type BackendFlags = Readonly<Record<string, BackendFlag>>

type ValueOfKind<Kind> = Kind extends 'boolean'
  ? boolean
  : Kind extends 'whole-number' | 'duration' | 'size'
    ? number
    : string

/** The values of flags that were set, by the names of the flags: durations in milliseconds, sizes in bytes. */
export type BackendFlagValues<Flags extends BackendFlags> = {
  readonly [Name in keyof Flags]?: ValueOfKind<Flags[Name]['kind']>
}
