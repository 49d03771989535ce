import { optionRules as rules, type OptionRule } from '@stowage/backup-core'

/** One option of a driver: the rule for its value, and the value where it is left out. */
export interface TableOption<T, D extends T | undefined> {
  readonly rule: OptionRule
  readonly default: D
  /** For the compiler alone. */
  readonly type?: T
}

/** The options of a driver by name. The types, the checks and the defaults follow from it. */
export type OptionTable = Readonly<Record<string, TableOption<unknown, unknown>>>

/** The options of a table as the caller passes them. */
export type OptionsOf<Table> = {
  readonly [Name in keyof Table]?: Table[Name] extends { readonly type?: infer T }
    ? Exclude<T, undefined>
    : never
}

/** The options of a table with their defaults. */
export type FilledOptions<Table> = {
  readonly [Name in keyof Table]:
    | (Table[Name] extends { readonly default: infer D } ? D : never)
    | Exclude<OptionsOf<Table>[Name & keyof OptionsOf<Table>], undefined>
}

/** An option without a default. */
export function option<T>(rule: OptionRule): TableOption<T, undefined> {
  return { rule, default: undefined }
}

/** A number above 0. */
export function positive(value: number): TableOption<number, number> {
  const accepts = (given: unknown): boolean =>
    typeof given === 'number' && Number.isFinite(given) && given > 0
  return { rule: { expected: 'a number above 0', accepts }, default: value }
}

/** One of several words. */
export function choice<const T extends string>(choices: readonly T[], value: NoInfer<T>): TableOption<T, T> {
  return { rule: rules.oneOf(...choices), default: value }
}

/** The rules of a table, for `checkOptions`. */
export function rulesOf(table: OptionTable): Record<string, OptionRule> {
  return Object.fromEntries(Object.entries(table).map(([name, { rule }]) => [name, rule]))
}

/** Fills in the defaults of a table. */
export function withDefaults<Table extends OptionTable>(
  table: Table,
  options: OptionsOf<Table>,
): FilledOptions<Table> {
  const given: Readonly<Record<string, unknown>> = { ...options }
  return Object.fromEntries(
    Object.entries(table).map(([name, entry]) => [name, given[name] ?? entry.default]),
  ) as FilledOptions<Table>
}
