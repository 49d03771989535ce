// Sends a file to Swift as objects of one size, or fetches them into a file: the requests and nothing else.
//
//   node bare-program.mjs put CONTAINER FILE CHUNK_SIZE
//   node bare-program.mjs get CONTAINER FILE
import { createReadStream, createWriteStream, statSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'

const inFlight = 4
const pieceBytes = 1024 * 1024
const [action, container = '', path = '', chunkSize] = process.argv.slice(2)
const { OS_STORAGE_URL: storageUrl = '', OS_AUTH_TOKEN: token = '' } = process.env
const agent = new Agent({ keepAlive: true })

if (action === 'put') await putAll(Number(chunkSize))
else await getAll()
agent.destroy()

/** @param {number} chunkBytes */
async function putAll(chunkBytes) {
  await call('PUT', '')
  const { size } = statSync(path)
  const starts = Array.from({ length: Math.ceil(size / chunkBytes) }, (_, index) => index * chunkBytes)
  await severally(starts, async (start) => {
    const end = Math.min(size, start + chunkBytes)
    const body = createReadStream(path, { start, end: end - 1, highWaterMark: pieceBytes })
    // The offset is the name, so that a listing tells where the objects belong.
    await call('PUT', `/${String(start).padStart(15, '0')}`, { body, lengthBytes: end - start })
  })
}

async function getAll() {
  const names = (await text(await answer('GET', ''))).split('\n').filter((name) => name !== '')
  writeFileSync(path, '')
  await severally(names, async (name) => {
    const file = createWriteStream(path, { start: Number(name), flags: 'r+', highWaterMark: pieceBytes })
    await pipeline(await answer('GET', `/${name}`), file)
  })
  // An empty volume has no objects.
  if (names.length === 0) truncateSync(path, 0)
}

/**
 * @template Item
 * @param {readonly Item[]} items
 * @param {(item: Item) => Promise<void>} work
 */
async function severally(items, work) {
  const left = items.values()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (const item of left) await work(item)
    }),
  )
}

/**
 * @param {string} method
 * @param {string} object
 * @param {{ body: import('node:fs').ReadStream, lengthBytes: number }} [upload]
 */
async function call(method, object, upload) {
  const response = await answer(method, object, upload)
  response.resume()
}

/**
 * @param {string} method
 * @param {string} object
 * @param {{ body: import('node:fs').ReadStream, lengthBytes: number }} [upload]
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
function answer(method, object, upload) {
  return new Promise((resolve, reject) => {
    const headers = { 'x-auth-token': token, 'content-length': String(upload?.lengthBytes ?? 0) }
    const sent = request(`${storageUrl}/${container}${object}`, { method, agent, headers })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const { statusCode = 0 } = response
      if (statusCode < 300) resolve(response)
      else reject(new Error(`${method} ${container}${object}: the server answered ${statusCode}.`))
    })
    if (upload) upload.body.on('error', reject).pipe(sent)
    else sent.end()
  })
}
