import { readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import type { BombStream, GoldenStream } from '@stowage/backup-testkit'

const read = (file: string): Uint8Array => readFileSync(new URL(`golden/${file}`, import.meta.url))

const streams: [file: string, raw: string][] = [
  ...['empty', 'one', 'text', 'zeros', 'mixed'].map((name): [string, string] => [`${name}.zlib`, name]),
  ['text.level9.zlib', 'text'],
  ['text.level0.zlib', 'text'],
  ['text.window9.zlib', 'text'],
]

/** What Python's zlib wrote; `golden/make.py` made it. */
export const pythonStreams: readonly GoldenStream[] = streams.map(([file, raw]) => ({
  name: `Python's ${file}`,
  raw: read(`${raw}.raw`),
  compressed: read(file),
}))

/** The bomb itself is a MiB, and lies there deflated once more. */
export const bombs: readonly BombStream[] = [
  { name: "Python's, a GiB of zeros", compressed: inflateSync(read('bomb.zlib.zlib')) },
]
