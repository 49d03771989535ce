import type { Command } from 'commander'

/**
 * Returns the values of an option on a command line that is not parsed yet: the options that exist depend on them. Skips
 * the values of other options, and what follows `--`.
 *
 * @param long - the option: `--store`
 */
export function valuesOnCommandLine(program: Command, argv: readonly string[], long: string): string[] {
  return scan(program, argv).values.flatMap(({ name, value }) => (name === long ? [value] : []))
}

/** Returns the words of a command line that are neither options nor their values: the command, and its arguments. */
export function operandsOnCommandLine(program: Command, argv: readonly string[]): string[] {
  return scan(program, argv).operands
}

interface ScannedLine {
  readonly values: { readonly name: string; readonly value: string }[]
  readonly operands: string[]
}

function scan(program: Command, argv: readonly string[]): ScannedLine {
  const takesValue = new Set(
    [program, ...program.commands]
      .flatMap(({ options }) => options.filter(({ required }) => required))
      .flatMap((option) => [option.short, option.long]),
  )
  const values: ScannedLine['values'] = []
  const operands: string[] = []
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') break
    const [name = '', ...inline] = word.startsWith('--') ? word.split('=') : [word]
    const value = inline.length > 0 ? inline.join('=') : takesValue.has(word) ? argv[(index += 1)] : undefined
    if (value !== undefined) values.push({ name, value })
    else if (!word.startsWith('-')) operands.push(word)
  }
  return { values, operands }
}
