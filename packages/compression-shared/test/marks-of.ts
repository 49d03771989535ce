import { MarkScanner } from '../src/bzip2/block-scanner.js'
import type { Mark } from '../src/bzip2/block-scanner.js'
import { CompressedInput } from '../src/bzip2/compressed-input.js'
import { onePiece } from '../src/decompress.js'
import { PieceReader } from '../src/piece-reader.js'

/** Every mark of a bzip2 stream, in order. */
export async function marksOf(bytes: Uint8Array): Promise<Mark[]> {
  const scanner = new MarkScanner(new CompressedInput(new PieceReader(onePiece(bytes))))
  const marks: Mark[] = []
  for (let mark = await scanner.next(); mark; mark = await scanner.next()) marks.push(mark)
  return marks
}
