import { readFileSync } from 'node:fs'
import type { GoldenStream } from '@stowage/backup-testkit'

const read = (file: string): Uint8Array => readFileSync(new URL(`golden/${file}`, import.meta.url))

const streams: [file: string, raw: string][] = [
  ...['empty', 'one', 'text', 'zeros', 'mixed'].map((name): [string, string] => [`${name}.bz2`, name]),
  ['blocks.level1.bz2', 'blocks'],
  ['text.streams.bz2', 'text'],
  ['text.program.bz2', 'text'],
]

/** What Python's bz2 and the program bzip2 wrote; `golden/make.py` made it. */
export const pythonStreams: readonly GoldenStream[] = streams.map(([file, raw]) => ({
  name: file,
  raw: read(`${raw}.raw`),
  compressed: read(file),
}))
