// Puts TLS in front of Keystone and Swift: node tls-front.mjs CONFIG.json, with { certFile, keyFile, fronts: [{ port,
// targetPort }] }. It is a reverse proxy rather than a tunnel, since both servers name themselves in what they answer
// (Keystone's links, the storage URL of auth v1), and have to name the outside.
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { pipeline } from 'node:stream'

const { certFile, keyFile, fronts } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) }

for (const { port, targetPort } of fronts) {
  const server = createServer(tls, (incoming, outgoing) => {
    forward(incoming, outgoing, targetPort)
  })
  server.requestTimeout = 0
  server.listen(port, '127.0.0.1')
}

function forward(incoming, outgoing, targetPort) {
  const headers = [...incoming.rawHeaders, 'X-Forwarded-Proto', 'https']
  const onward = request(
    {
      host: '127.0.0.1',
      port: targetPort,
      method: incoming.method,
      path: incoming.url,
      headers,
      agent: false,
    },
    (answer) => {
      outgoing.writeHead(answer.statusCode, answer.statusMessage, outside(answer.rawHeaders))
      pipeline(answer, outgoing, () => undefined)
    },
  )
  onward.on('error', () => {
    // Half an answer cannot be taken back: the client has to see a connection that broke.
    if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502).end()
  })
  outgoing.on('close', () => onward.destroy())
  pipeline(incoming, onward, () => undefined)
}

function outside(rawHeaders) {
  return rawHeaders.map((value, index) =>
    index % 2 === 1 && rawHeaders[index - 1].toLowerCase() === 'x-storage-url'
      ? value.replace(/^http:/, 'https:')
      : value,
  )
}
