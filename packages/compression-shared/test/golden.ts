import { readFileSync } from 'node:fs'
import type { BombStream, GoldenStream } from '@stowage/backup-testkit'

/** A file that `golden/make.py` made. */
export const golden = (file: string): Uint8Array => readFileSync(new URL(`golden/${file}`, import.meta.url))

const streams: [file: string, raw: string][] = [
  ...['empty', 'one', 'text', 'zeros', 'mixed', 'false-block', 'false-end'].map((name): [string, string] => [
    `${name}.bz2`,
    name,
  ]),
  ['blocks.level1.bz2', 'blocks'],
  ['text.streams.bz2', 'text'],
  ['text.program.bz2', 'text'],
]

/** What Python's bz2 and the program bzip2 wrote. */
export const otherStreams: readonly GoldenStream[] = streams.map(([file, raw]) => ({
  name: file,
  raw: golden(`${raw}.raw`),
  compressed: golden(file),
}))

/** What Python's bz2 wrote of a billion zeros. */
export const bombs: readonly BombStream[] = [
  { name: "Python's, a billion zeros", compressed: golden('bomb.bz2') },
]
