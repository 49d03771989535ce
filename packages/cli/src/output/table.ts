import stringWidth from 'string-width'
import { printable } from './printable.js'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  /** @default 'left' */
  readonly align?: 'left' | 'right'
}

/** Formats rows in columns below a line of titles. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(value(row)))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => stringWidth(line[index] ?? ''))))
  return cells.map((line) => `${formatLine(line, widths, columns)}\n`).join('')
}

function formatLine<Row>(
  line: readonly string[],
  widths: readonly number[],
  columns: readonly Column<Row>[],
): string {
  const padded = line.map((cell, index) => {
    const fill = ' '.repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(cell)))
    return columns[index]?.align === 'right' ? fill + cell : cell + fill
  })
  return padded.join('  ').trimEnd()
}

/** Formats names and values, one per line; entries without a value are left out. */
export function fields(
  entries: readonly (readonly [name: string, value: string | undefined | null])[],
): string {
  const shown = entries.filter(([, value]) => value !== undefined && value !== null)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value ?? '')}\n`).join('')
}
