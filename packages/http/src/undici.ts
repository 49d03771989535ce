import type { Agent, Dispatcher, ProxyAgent } from 'undici'
import { NetworkError } from './network-error.js'

/**
 * A client of undici, which is loaded and made with the first request that needs it. The index of undici loads a hundred
 * files, most of them for other APIs, and takes longer than Node.js to start.
 */
export class LazyDispatcher {
  readonly #make: () => Promise<Dispatcher>
  #made: Promise<Dispatcher> | undefined
  #isDestroyed = false

  constructor(make: () => Promise<Dispatcher>) {
    this.#make = make
  }

  /** @throws NetworkError after {@link destroy} */
  async get(): Promise<Dispatcher> {
    if (this.#isDestroyed) throw new NetworkError('UND_ERR_DESTROYED', 'the client was closed')
    this.#made ??= this.#make()
    return this.#made
  }

  /** Closes all connections, and aborts the requests that use them. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true
    const dispatcher = await this.#made?.catch(() => undefined)
    await dispatcher?.destroy()
  }
}

export async function makeAgent(options: Agent.Options): Promise<Dispatcher> {
  // Not an entry point of undici: where a later version has moved it, all of undici is loaded.
  const AgentOnly = await import('undici/lib/dispatcher/agent.js').then(
    (module) => module.default,
    async () => (await import('undici')).Agent,
  )
  return new AgentOnly(options)
}

export async function makeProxyAgent(options: ProxyAgent.Options): Promise<Dispatcher> {
  const { ProxyAgent } = await import('undici')
  return new ProxyAgent(options)
}
