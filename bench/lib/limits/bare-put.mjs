// What HTTP alone allows: undici's PUT of chunks that lie in memory, some in flight, no hash, to a server that drops
// them.
//
//   node bare-put.mjs VOLUME CHUNK_SIZE URL IN_FLIGHT
import { Agent } from 'undici'
import { coldAndWarm, loadVolume } from './load-volume.mjs'

const [path = '', chunkSize, url = '', inFlight] = process.argv.slice(2)
const bytes = loadVolume(path)
const chunkBytes = Number(chunkSize)
const { origin, pathname } = new URL(url)
const agent = new Agent()
await coldAndWarm(async () => {
  let next = 0
  const lanes = Array.from({ length: Number(inFlight) }, async () => {
    for (let start = next; start < bytes.length; start = next) {
      next += chunkBytes
      const body = Buffer.from(bytes.buffer, start, Math.min(chunkBytes, bytes.length - start))
      const answer = await agent.request({ origin, path: `${pathname}/bare/${start}`, method: 'PUT', body })
      await answer.body.dump()
      if (answer.statusCode !== 201) throw new Error(`The server answered ${answer.statusCode}.`)
    }
  })
  await Promise.all(lanes)
})
await agent.close()
