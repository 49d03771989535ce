import assert from 'node:assert/strict'
import { itWith } from './optional-methods.js'
import { runProgram } from './run-program.js'
import type { CompressorConformanceOptions, CompressorProgram, ProgramFormat } from './types.js'

/** Programs that must end without `process.exit`, each printing `done`. */
const endings: readonly (readonly [name: string, body: string])[] = [
  [
    'when the calls that were under way at its end are done, and not before',
    `const run = async () => {
      const compressor = await create()
      for (let call = 0; call < 4; call++) {
        compressor
          .compress(bytes)
          .then((compressed) => compressor.decompress(compressed, bytes.length))
          .then((opened) => { if (bytes.equals(opened) && ++ended === 4) console.log('done') })
      }
    }
    let ended = 0
    run()`,
  ],
  [
    'after an abort',
    `const run = async () => {
      const compressor = await create()
      const controller = new AbortController()
      const calls = [1, 2, 3].map(() => compressor.compress(bytes, { signal: controller.signal }))
      setImmediate(() => controller.abort())
      await Promise.allSettled(calls)
      console.log('done')
    }
    run()`,
  ],
  [
    'after a stream was refused',
    `const run = async () => {
      const compressor = await create()
      const compressed = await compressor.compress(bytes)
      const torn = compressed.subarray(0, compressed.length - 1)
      await compressor.decompress(torn, bytes.length).catch((error) => {
        if (error.code === 'OBJECT_CORRUPT') console.log('done')
      })
    }
    run()`,
  ],
]

/** Stops to read a stream half way. */
const stopsReading = `async function* cut(compressed) {
      for (let at = 0; at < compressed.length; at += 100) yield compressed.subarray(at, at + 100)
    }
    const run = async () => {
      const compressor = await create()
      const compressed = await compressor.compress(bytes)
      for await (const piece of compressor.decompressStream(cut(compressed), bytes.length)) if (piece) break
      console.log('done')
    }
    run()`

export function programTests(options: CompressorConformanceOptions): void {
  const { describe, it, program } = options
  if (program === undefined) return
  const { formats = ['module', 'commonjs'] } = program
  const [format = 'module'] = formats

  describe('a program that imports it', () => {
    for (const each of formats) {
      it(`ends by itself, as ${formatNames[each]}`, () => endsByItself(program, each, roundTrip))
    }

    for (const [name, body] of endings) {
      it(`ends by itself ${name}`, () => endsByItself(program, format, body))
    }
    itWith(options, 'streams')('ends by itself after it left a stream half way', () =>
      endsByItself(program, format, stopsReading),
    )

    for (const [name, exit] of [
      ['immediately', 'process.exit(7)'],
      ['a little later', 'setTimeout(() => process.exit(7), 30)'],
    ] as const) {
      it(`may call process.exit during its calls, ${name}`, async () => {
        const outcome = await runProgram(program, format, inTheMidst(exit))
        assert.deepEqual([outcome.code, outcome.signal], [7, null], outcome.errors)
      })
    }
  })
}

const formatNames: Readonly<Record<ProgramFormat, string>> = {
  module: 'an ES module',
  commonjs: 'a CommonJS module',
}

const roundTrip = `const run = async () => {
    const compressor = await create()
    const opened = await compressor.decompress(await compressor.compress(bytes), bytes.length)
    if (bytes.equals(opened)) console.log('done')
  }
  run()`

/** Makes calls until the process exits. */
const inTheMidst = (exit: string): string => `const run = async () => {
    const compressor = await create()
    const again = async () => {
      for (;;) await compressor.decompress(await compressor.compress(bytes), bytes.length)
    }
    again()
    again()
    ${exit}
  }
  run()`

async function endsByItself(program: CompressorProgram, format: ProgramFormat, body: string): Promise<void> {
  const { code, signal, output, errors } = await runProgram(program, format, body)
  const said = errors === '' ? '' : `\n${errors}`
  assert.equal(signal, null, `it did not end by itself, and was killed by ${String(signal)}${said}`)
  assert.equal(code, 0, `it ended with the code ${String(code)}. Is ${program.module} built?${said}`)
  assert.equal(output, 'done\n', `it ended before its calls were complete${said}`)
}
