import { printable } from './printable.js'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  /** @default 'left' */
  readonly align?: 'left' | 'right'
}

/** Formats rows in columns below a line of titles. */
export async function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<string> {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(value(row)))),
  ]
  const widthOf = await widthFunction(lines.flat())
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ''))))
  const format = (line: readonly string[]): string => {
    const padded = line.map((cell, index) => {
      const fill = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)))
      return columns[index]?.align === 'right' ? fill + cell : cell + fill
    })
    return `${padded.join('  ').trimEnd()}\n`
  }
  return lines.map(format).join('')
}

/** How many columns of a terminal a text takes. Loading string-width takes an eighth of a command's start. */
async function widthFunction(texts: readonly string[]): Promise<(text: string) => number> {
  if (texts.every((text) => /^[\x20-\x7e]*$/.test(text))) return (text) => text.length
  return (await import('string-width')).default
}

/** Formats names and values, one per line; entries without a value are left out. */
export function fields(
  entries: readonly (readonly [name: string, value: string | undefined | null])[],
): string {
  const shown = entries.filter(([, value]) => value !== undefined && value !== null)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value ?? '')}\n`).join('')
}
