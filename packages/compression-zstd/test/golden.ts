import { readFileSync } from 'node:fs'
import type { BombStream, GoldenStream } from '@stowage/backup-testkit'

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

/** What the program zstd wrote of a GiB of zeros that came through a pipe. */
export const bombs: readonly BombStream[] = [
  {
    name: 'zstd -3, a GiB of zeros of which the frame does not speak',
    compressed: golden('bomb.program.zst'),
  },
]
