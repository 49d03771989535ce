import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../measured-process.mjs'

const pythonEngine = fileURLToPath(new URL('python-engine.py', import.meta.url))

/**
 * No figure comes from wrong bytes: what an engine made has to open to the data by its own means, and what ours made by
 * Python's, as Cinder would read it. What it made stays, for the decompression to be measured.
 *
 * @param {import('./engines.mjs').Engine} engine
 * @param {import('../volumes.mjs').Volume} volume
 * @param {{ scratch: string, chunkBytes: number, mostBytes: number }} how
 */
export async function checkEngine(engine, volume, { scratch, chunkBytes, mostBytes }) {
  const packed = join(scratch, engine.name.replace(/[^a-z0-9]+/gi, '-'))
  mkdirSync(packed, { recursive: true })
  const opened = `${packed}-opened`
  const wanted = await sha256Of(volume.path, mostBytes)
  const check = async (/** @type {string} */ by) => {
    if ((await sha256Of(opened, Number.POSITIVE_INFINITY)) !== wanted) {
      throw new Error(`${engine.name}: what it made, opened by ${by}, is not the data.`)
    }
    rmSync(opened)
  }
  if (engine.kind === 'program') {
    const file = join(packed, 'whole')
    await run({ argv: engine.argv('compress', '', '', 0, 0), stdinFile: volume.path, stdoutFile: file })
    await run({ argv: engine.argv('decompress', '', '', 0, 0), stdinFile: file, stdoutFile: opened })
  } else {
    await run({ argv: engine.argv('compress', volume.path, packed, chunkBytes, mostBytes) })
    await run({ argv: engine.argv('decompress', packed, opened, chunkBytes, mostBytes) })
  }
  await check('itself')
  if (engine.kind === 'own') {
    await run({
      argv: ['/usr/bin/python3', pythonEngine, 'decompress', engine.format, packed, opened, '0', '0'],
    })
    await check('Python')
  }
  const packedBytes = readdirSync(packed).reduce((sum, name) => sum + statSync(join(packed, name)).size, 0)
  return { packed, ratio: packedBytes / mostBytes }
}

/**
 * @param {string} path
 * @param {number} mostBytes
 */
async function sha256Of(path, mostBytes) {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { end: mostBytes - 1 })) hash.update(piece)
  return hash.digest('hex')
}
