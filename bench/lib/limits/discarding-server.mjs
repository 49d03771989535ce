// Reads what is PUT and drops it. It answers as much of Swift's API as a full backup asks for.
//
// Prints its URL, and ends when its standard input does.
import { once } from 'node:events'
import { createServer } from 'node:http'

/**
 * Objects that were put, by path: a backup looks whether some are there. An ETag is what the client sent ahead; where it
 * sent none, the answer has none, since a sum would cost what is to be measured, and the client asks for the length.
 *
 * @type {Map<string, { lengthBytes: number, etag: { etag?: string } }>}
 */
const objects = new Map()

const server = createServer((request, response) => {
  const path = (request.url ?? '').split('?')[0] ?? ''
  request.resume()
  request.on('end', () => {
    if (request.method === 'PUT') {
      const sent = request.headers.etag
      const etag = typeof sent === 'string' ? { etag: sent } : {}
      objects.set(path, { lengthBytes: Number(request.headers['content-length'] ?? 0), etag })
      response.writeHead(201, { ...etag, 'content-length': 0 }).end()
    } else if (path === '/info') {
      respond(response, 200, { swift: { max_file_size: 5 * 1024 ** 3 } })
    } else if (request.method === 'HEAD') {
      const object = objects.get(path)
      const isContainer = path.split('/').length === 4
      if (object) response.writeHead(200, { ...object.etag, 'content-length': object.lengthBytes }).end()
      else response.writeHead(isContainer ? 204 : 404).end()
    } else if (request.method === 'GET' && path.split('/').length === 4) {
      respond(response, 200, [])
    } else response.writeHead(404, { 'content-length': 0 }).end()
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('The server has no port.')
console.log(`http://127.0.0.1:${address.port}/v1/AUTH_sink`)
process.stdin.resume()
process.stdin.on('end', () => {
  server.closeAllConnections()
  server.close()
})

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 */
function respond(response, status, body) {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length }).end(text)
}
