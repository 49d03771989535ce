#!/usr/bin/env node
// Where the CPU time of a command goes: by thread and by kind of work, from samples of perf (Debian: linux-perf). Wall times
// are not printed: perf adds to them.
//
//   node bench/profile.mjs [--node PATH] -- backup volume.img --store swift://vault --compression zlib
//
// The arguments after -- are those of stowage. perf needs root, or kernel.perf_event_paranoid of at most 1.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { builtCommand } from './lib/clients/stowage.mjs'
import { table } from './lib/table.mjs'

const hertz = 999

/** The first pattern that matches a symbol or its file counts. */
const kinds = /** @type {const} */ ([
  ['kernel', /\[kernel|\[k\]/],
  ['MD5', /md5/i],
  ['SHA-256', /sha256/i],
  ['compression', /deflate|inflate|longest_match|ZSTD|HUF_|FSE_|adler|crc32/i],
  ['copies', /memmove|memcpy|memset/],
  ['zero test', /memcmp/],
  ['JavaScript, WebAssembly', /\[JIT\]|perf-\d+\.map|\/wasm|Builtins_|^0x/],
  ['compiler', /compiler::|baseline::|Liftoff|maglev|turboshaft|wasm::/],
  ['parser', /Scanner|Parser|Ast|interpreter::|Deserializer/],
  ['garbage collector', /Mark|Sweep|Scav|GC|Evacuat/],
])

const { values, positionals } = parseArgs({
  options: { node: { type: 'string', default: process.execPath } },
  allowPositionals: true,
})
if (positionals.length === 0) {
  console.error('usage: node bench/profile.mjs [--node PATH] -- ARGUMENTS OF STOWAGE')
  process.exit(2)
}

const scratch = mkdtempSync(join(tmpdir(), 'stowage-profile-'))
try {
  const data = join(scratch, 'perf.data')
  const perf = [
    'record',
    '-q',
    '-F',
    String(hertz),
    '-o',
    data,
    '--',
    values.node,
    builtCommand,
    ...positionals,
  ]
  const { status, error } = spawnSync('perf', perf, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (error) throw new Error('perf cannot be run. On Debian: apt-get install linux-perf', { cause: error })
  if (status !== 0) throw new Error(`stowage, or perf, ended with ${status}.`)
  console.log(report(await samplesOf(data)))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/**
 * The samples of each kind, by thread.
 *
 * @param {string} data
 */
async function samplesOf(data) {
  const main = Number(
    execFileSync('perf', ['script', '-i', data, '-F', 'pid'], { encoding: 'utf8' }).trim().split('\n', 1)[0],
  )
  const script = spawn('perf', ['script', '-i', data, '-F', 'tid,ip,sym,dso'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exit = once(script, 'exit')
  /** @type {Map<string, Map<string, number>>} */
  const threads = new Map()
  for await (const line of createInterface({ input: script.stdout })) {
    const match = /^\s*(\d+)\s+[0-9a-f]+\s+(.*)$/.exec(line)
    if (!match) continue
    const [, tid = '', what = ''] = match
    const thread = Number(tid) === main ? 'main' : tid
    const kind = kinds.find(([, pattern]) => pattern.test(what))?.[0] ?? 'the rest of Node.js'
    const counts = threads.get(thread) ?? new Map()
    threads.set(thread, counts.set(kind, (counts.get(kind) ?? 0) + 1))
  }
  await exit
  return threads
}

/**
 * @param {Map<string, Map<string, number>>} threads
 */
function report(threads) {
  const total = (/** @type {Map<string, number>} */ counts) =>
    [...counts.values()].reduce((sum, one) => sum + one, 0)
  // Workers and the pool's threads have numbers, which say nothing: the busiest are the ones to look at.
  const busiest = [...threads].sort(([, one], [, other]) => total(other) - total(one))
  const shown = busiest.slice(0, 4)
  const others = new Map()
  for (const [, counts] of busiest.slice(4))
    for (const [kind, count] of counts) others.set(kind, (others.get(kind) ?? 0) + count)
  const columns = /** @type {[string, Map<string, number>][]} */ ([
    ...shown.map(([name, counts], index) => [name === 'main' ? 'main' : `thread ${index + 1}`, counts]),
    ['others', others],
  ])
  const seconds = (/** @type {number} */ count) => (count === 0 ? '' : (count / hertz).toFixed(2))
  const names = [...kinds.map(([name]) => name), 'the rest of Node.js']
  const rows = names.map((name) => {
    const counts = columns.map(([, column]) => column.get(name) ?? 0)
    return [name, ...counts.map(seconds), seconds(counts.reduce((sum, one) => sum + one, 0))]
  })
  const sums = columns.map(([, column]) => total(column))
  rows.push(['all', ...sums.map(seconds), seconds(sums.reduce((sum, one) => sum + one, 0))])
  const head = ['CPU seconds', ...columns.map(([name]) => name), 'all']
  return table(head, rows)
}
