/** The most edits between a name and what it was mistyped as, for each so many letters. */
const LETTERS_AN_EDIT = 4

/** Which of some names a caller probably meant: another case or spelling, a beginning, or a typing error. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const wanted = folded(given)
  if (wanted === '') return undefined
  const same = names.find((name) => folded(name) === wanted)
  if (same !== undefined) return same
  const longer = names.filter((name) => wanted.length >= 3 && folded(name).startsWith(wanted))
  if (longer.length === 1) return longer[0]
  let best: string | undefined
  let bestEdits = Math.max(1, Math.floor(wanted.length / LETTERS_AN_EDIT)) + 1
  for (const name of names) {
    const edits = editDistance(wanted, folded(name), bestEdits)
    if (edits < bestEdits) {
      best = name
      bestEdits = edits
    }
  }
  return best
}

/** `chunk_size_bytes`, `chunk-size-bytes` and `ChunkSizeBytes` are one name. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** How many letters to insert, remove, replace or swap with the next one; at least `limit` where it is not less. */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let beforePrevious: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = at(previous, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1)
      let edits = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, replaced)
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped) edits = Math.min(edits, at(beforePrevious, column - 2) + 1)
      current.push(edits)
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
