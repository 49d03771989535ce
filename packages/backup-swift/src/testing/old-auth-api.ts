import type { TestAnswer, TestRequest } from './answer.js'
import { html, json } from './answer.js'
import type { Identity, TestToken } from './identity.js'
import { testUsers, testV1User } from './identity.js'
import { at } from './keystone-v3-api.js'

/** `POST /v2.0/tokens`. `catalogOf` has the catalog in the shape of v2. */
export function keystoneV2(
  identity: Identity,
  catalogOf: (projectId: string) => readonly unknown[],
  request: TestRequest,
): TestAnswer {
  const body: unknown = JSON.parse(request.body.toString('utf8'))
  const user = Object.values(testUsers).find(
    ({ name }) => name === at(body, 'auth', 'passwordCredentials', 'username'),
  )
  const tenant = at(body, 'auth', 'tenantName') ?? at(body, 'auth', 'tenantId')
  const refused = json(401, {
    error: { code: 401, message: 'The request you have made requires authentication.' },
  })
  if (!user || at(body, 'auth', 'passwordCredentials', 'password') !== user.password) return refused
  if (tenant !== user.project.name && tenant !== user.project.id) return refused
  const token = identity.issue(user, user.project.id)
  return json(200, {
    access: {
      token: {
        id: token.id,
        // v2.0 leaves the Z out of one of them.
        issued_at: token.issuedAt.toISOString().replace('Z', ''),
        expires: token.expiresAt.toISOString(),
        tenant: user.project,
      },
      serviceCatalog: catalogOf(user.project.id),
    },
  })
}

/** `GET /auth/v1.0`, as TempAuth answers it: the same token until its end, unless a new one is asked for. */
export class V1Auth {
  readonly #identity: Identity
  #token: TestToken | undefined

  constructor(identity: Identity) {
    this.#identity = identity
  }

  answer(request: TestRequest, origin: string): TestAnswer {
    const { 'x-auth-user': user, 'x-auth-key': key } = request.headers
    if (user !== testV1User.user || key !== testV1User.key) {
      return html(401, 'Unauthorized', { 'www-authenticate': 'Swift realm="unknown"' })
    }
    const current = this.#identity.check(this.#token?.id)
    const again = current && request.headers['x-auth-new-token'] !== 'true'
    const token = again ? current : this.#identity.issue(v1Identity, v1Identity.project.id)
    this.#token = token
    return {
      status: 200,
      headers: {
        'x-auth-token': token.id,
        'x-storage-token': token.id,
        'x-storage-url': `${origin}/v1/${testV1User.account}`,
        'x-auth-token-expires': String(Math.floor((token.expiresAt.getTime() - Date.now()) / 1000)),
      },
    }
  }
}

const v1Identity = {
  id: 'tester',
  name: 'tester',
  password: testV1User.key,
  domain: { id: '', name: '' },
  project: { id: 'test', name: 'test' },
}
