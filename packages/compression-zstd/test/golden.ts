import { readFileSync } from 'node:fs'
import type { GoldenStream } from '@stowage/backup-testkit'

/** A file that `golden/make.py` made. */
export const golden = (file: string): Uint8Array => readFileSync(new URL(`golden/${file}`, import.meta.url))

const files = [
  ...['one', 'text', 'zeros', 'mixed', 'blocks'].map((name) => `${name}.python.zst`),
  'text.level19.python.zst',
  'blocks.program.zst',
  'empty.program.zst',
  'text.no-check.program.zst',
  'text.frames.zst',
]

/** What python3-zstd and the program zstd wrote. */
export const otherStreams: readonly GoldenStream[] = files.map((file) => ({
  name: file,
  raw: golden(`${file.split('.')[0]!}.raw`),
  compressed: golden(file),
}))
