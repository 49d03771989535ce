import { createRequire } from 'node:module'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Agent } from 'undici'
import { expect, it } from 'vitest'
import { LazyDispatcher, makeAgent } from '../src/undici.js'

it('has its Agent in the file from which it is loaded, and not all of undici is loaded for it', async () => {
  const require = createRequire(import.meta.url)
  expect(require('undici/lib/dispatcher/agent.js')).toBe(Agent)
  const agent = await makeAgent({})
  expect(agent).toBeInstanceOf(Agent)
  await agent.destroy()
})

it('makes a dispatcher once, with the first request, and none after it was destroyed', async () => {
  let made = 0
  const lazy = new LazyDispatcher(() => {
    made += 1
    return makeAgent({})
  })
  const unused = new LazyDispatcher(() => Promise.reject(new Error('made')))
  await unused.destroy()
  await expect(unused.get()).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' })
  const [one, other] = await Promise.all([lazy.get(), lazy.get()])
  expect([made, one === other]).toEqual([1, true])
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const failure = new Promise<Error>((resolve) => {
    const { port } = server.address() as AddressInfo
    one.dispatch(
      { origin: `http://127.0.0.1:${port}`, path: '/', method: 'HEAD' },
      {
        onRequestStart: () => void lazy.destroy(),
        onResponseError: (_controller, error) => {
          resolve(error)
        },
      },
    )
  })
  await expect(failure).resolves.toMatchObject({ code: 'UND_ERR_DESTROYED' })
  await expect(lazy.get()).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' })
  server.close()
})
