/**
 * Characters that control a terminal or are invisible: control and format characters (directions, joiners, tags), line
 * separators, lone surrogates, and characters that Unicode marks as ignorable. Variation selectors
 * 1 to 16 stay: they only select the form of the preceding character.
 */
const controlCharacters =
  /(?![\uFE00-\uFE0F])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** One line of text, with U+FFFD for characters that control a terminal: text from a store is never executed. */
export function printable(text: string): string {
  return text.replace(controlCharacters, '\uFFFD')
}

/** As {@link printable}, for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** JSON that parses to the same value, with escapes for characters that control a terminal. */
export function printableJson(value: unknown, indent?: number): string {
  // Outside of its strings JSON has line ends and spaces alone.
  return JSON.stringify(value, null, indent).replace(controlCharacters, (character) =>
    character === '\n' ? character : escaped(character),
  )
}

/** As `\uXXXX`, one for each of its UTF-16 code units. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}
