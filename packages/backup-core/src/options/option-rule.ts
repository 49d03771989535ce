/** What one option must be. */
export interface OptionRule {
  /** What follows "must be": `a whole number of at least 1`. */
  readonly expected: string
  /** Whether a value is that. Never called with undefined, which counts as left out. */
  readonly accepts: (value: unknown) => boolean
  /** The likely fix for a value that is not accepted, as a sentence. */
  readonly hint?: (value: unknown) => string | undefined
  /** The option cannot be left out. @default false */
  readonly required?: boolean
}

/** The rules for every option of a call. Options that have no rule are refused. */
export type OptionShape<Options extends object> = { readonly [Key in keyof Options]-?: OptionRule }
