/**
 * Orders two strings as Python does: by code point. JavaScript's own `<` goes by UTF-16 unit, which puts U+1F600
 * (its first unit is 0xD83D) before U+FF5E. A lone surrogate counts as the code point it names, in both languages.
 */
export function compareCodePoints(left: string, right: string): number {
  let index = 0
  while (index < left.length && index < right.length) {
    const a = left.codePointAt(index) ?? 0
    const b = right.codePointAt(index) ?? 0
    if (a !== b) return a - b
    index += a > 0xffff ? 2 : 1
  }
  return left.length - right.length
}
