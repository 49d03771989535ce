import { freemem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { run } from './measured-process.mjs'

const pageBytes = 4096
const stepBytes = 2 ** 28

/**
 * The most that is touched before a run: more than any client uses, and little enough to take a second or two.
 */
const maxTouchedBytes = 2 ** 31

/**
 * The state of the machine's free memory when a run begins. On a virtual machine whose host takes back free pages, the
 * first write to a page costs several times as much while the host does not back it (cold) as when it does (warm).
 *
 * @typedef {'warm' | 'cold'} MemoryState
 */

/** @param {string} value */
export function parseMemory(value) {
  /** @type {Record<string, readonly MemoryState[]>} */
  const states = { warm: ['warm'], cold: ['cold'], both: ['cold', 'warm'] }
  const chosen = states[value]
  if (chosen === undefined) throw new Error(`--memory ${value}: write warm, cold or both.`)
  return chosen
}

/**
 * Writes to each page of much of the free memory in another process, and returns what a page cost, in µs. When that
 * process ends, the pages are free again and the host backs them, for some seconds at least: so it is done before each
 * run. A short second pass tells what a page costs the run that follows.
 *
 * @returns {Promise<{ coldMicroseconds: number, warmMicroseconds: number }>}
 */
export async function warmMemory() {
  const self = fileURLToPath(import.meta.url)
  const bytes = Math.min(maxTouchedBytes, Math.floor(freemem() / 2 / stepBytes) * stepBytes)
  /** @type {number[]} */
  const costs = []
  for (const passBytes of [bytes, stepBytes]) {
    const { stdout } = await run({ argv: [process.execPath, self, String(passBytes)] })
    costs.push(Number(stdout))
  }
  const [coldMicroseconds = NaN, warmMicroseconds = NaN] = costs
  return { coldMicroseconds, warmMicroseconds }
}

/**
 * @param {number} bytes
 * @returns {number} µs per page
 */
function touch(bytes) {
  const started = performance.now()
  const held = []
  for (let done = 0; done < bytes; done += stepBytes) {
    // Not zero-filled by JavaScript: the kernel gives zero pages, and the writes below are what makes it give them.
    const memory = Buffer.allocUnsafeSlow(stepBytes)
    for (let at = 0; at < stepBytes; at += pageBytes) memory[at] = 1
    held.push(memory)
  }
  return ((performance.now() - started) * 1000) / ((held.length * stepBytes) / pageBytes)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(touch(Number(process.argv[2])))
