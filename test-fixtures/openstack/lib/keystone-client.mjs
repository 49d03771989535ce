import { URLSearchParams } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'

const attempts = 5

/** The little of Keystone's API that setting the lab up takes. */
export class KeystoneClient {
  #url
  #token

  constructor(url, token) {
    this.#url = url
    this.#token = token
  }

  /** Signs in with a password; `user` has name, password, projectName and, outside the default domain, domainName. */
  static async signIn(url, user) {
    const domain = { name: user.domainName ?? 'Default' }
    const identity = {
      methods: ['password'],
      password: { user: { name: user.name, domain, password: user.password } },
    }
    const scope = { project: { name: user.projectName, domain } }
    const { headers } = await call(url, 'POST', '/auth/tokens', { auth: { identity, scope } })
    return new KeystoneClient(url, headers.get('x-subject-token'))
  }

  get token() {
    return this.#token
  }

  /** The one of this name, made now if it is not there yet: `ensure('projects', { name: 'demo' })`. */
  async ensure(kind, entity) {
    const query = new URLSearchParams({ name: entity.name })
    if (entity.domain_id) query.set('domain_id', entity.domain_id)
    const found = await this.get(`/${kind}?${query}`)
    return found[kind][0] ?? (await this.post(`/${kind}`, { [kind.slice(0, -1)]: entity }))[kind.slice(0, -1)]
  }

  async get(path) {
    return (await call(this.#url, 'GET', path, undefined, this.#token)).body
  }

  async post(path, body) {
    return (await call(this.#url, 'POST', path, body, this.#token)).body
  }

  async put(path) {
    await call(this.#url, 'PUT', path, undefined, this.#token)
  }
}

async function call(url, method, path, body, token) {
  // uWSGI closes the connection after each answer without saying so: what lands on one that closes is sent again.
  const headers = {
    connection: 'close',
    'content-type': 'application/json',
    ...(token && { 'x-auth-token': token }),
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      const text = await answer.text()
      if (answer.ok) return { headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
      throw new Error(`Keystone answers ${answer.status} to ${method} ${path}: ${text.slice(0, 300)}`)
    } catch (error) {
      if (!(error instanceof TypeError) || attempt === attempts) throw error
      await sleep(100 * attempt)
    }
  }
}
