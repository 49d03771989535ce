import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/**
 * Reads a whole volume into memory that workers can share. What takes its data from here pays for no disk; and since a
 * byte of each page is read here, nor for the first look of a process at memory that the kernel filled.
 *
 * @param {string} path
 */
export function loadVolume(path) {
  const file = openSync(path, 'r')
  try {
    const bytes = new Uint8Array(new SharedArrayBuffer(fstatSync(file).size))
    for (let at = 0; at < bytes.length;)
      at += readSync(file, bytes, at, Math.min(2 ** 26, bytes.length - at), at)
    let sum = 0
    for (let at = 0; at < bytes.length; at += 4096) sum += bytes[at] ?? 0
    if (Number.isNaN(sum)) throw new Error('The sum keeps the reads from being dropped.')
    return bytes
  } finally {
    closeSync(file)
  }
}

/**
 * How long each of two passes takes: the first, which pays for fresh memory, workers and code that is not compiled yet,
 * and the second, which does not.
 *
 * @param {() => Promise<void>} pass
 */
export async function coldAndWarm(pass) {
  const seconds = []
  for (let count = 0; count < 2; count += 1) {
    const started = performance.now()
    await pass()
    seconds.push((performance.now() - started) / 1000)
  }
  const [coldSeconds, warmSeconds] = seconds
  console.log(JSON.stringify({ coldSeconds, warmSeconds }))
}
