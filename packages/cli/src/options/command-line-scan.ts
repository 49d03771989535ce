import type { Command } from 'commander'

/**
 * Returns the values of an option on a command line that is not parsed yet: the options that exist depend on them. Skips
 * the values of other options, and what follows `--`.
 *
 * @param long - the option: `--store`
 */
export function valuesOnCommandLine(program: Command, argv: readonly string[], long: string): string[] {
  const takesValue = new Set(
    [program, ...program.commands]
      .flatMap(({ options }) => options.filter(({ required }) => required))
      .flatMap((option) => [option.short, option.long]),
  )
  const values: string[] = []
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') break
    const [name = '', ...inline] = word.split('=')
    const value = inline.length > 0 ? inline.join('=') : takesValue.has(word) ? argv[(index += 1)] : undefined
    if (name === long && value !== undefined) values.push(value)
  }
  return values
}
