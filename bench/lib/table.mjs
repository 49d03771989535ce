/**
 * A table for the terminal: the first column to the left, figures to the right, the last column as it is.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (/** @type {readonly string[]} */ row) =>
    head
      .map((_, column) => {
        const cell = row[column] ?? ''
        if (column === 0) return cell.padEnd(widths[column] ?? 0)
        return column === head.length - 1 ? cell : cell.padStart(widths[column] ?? 0)
      })
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}
