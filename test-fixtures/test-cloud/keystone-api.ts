import { html, json, type TestAnswer, type TestRequest } from './account-store.js'
import {
  testApplicationCredential,
  testTrust,
  testUsers,
  testV1User,
  type Identity,
  type TestToken,
  type TestUser,
} from './identity.js'

/** A catalog of Keystone v3 for a project. */
export type CatalogOf = (projectId: string) => readonly unknown[]

/** `POST /v3/auth/tokens`. */
export function keystoneV3(identity: Identity, catalogOf: CatalogOf, request: TestRequest): TestAnswer {
  let body: unknown
  try {
    body = JSON.parse(request.body.toString('utf8'))
  } catch {
    return problem(400, 'Could not decode the request body.')
  }
  const method = at(body, 'auth', 'identity', 'methods', '0')
  const found = whoIs(identity, method, at(body, 'auth', 'identity', String(method)))
  if ('problem' in found) return found.problem
  const scope = at(body, 'auth', 'scope')
  if (method === 'application_credential' && scope !== undefined) {
    return problem(401, 'Application credentials cannot request a scope.')
  }
  const projectId =
    method === 'application_credential' ? testUsers.demo.project.id : projectOf(found.user, scope)
  if (projectId === null) return problem(401, 'The request you have made requires authentication.')
  return issued(identity.issue(found.user, projectId, found.from), catalogOf)
}

function whoIs(
  identity: Identity,
  method: unknown,
  details: unknown,
): { readonly user: TestUser; readonly from?: TestToken } | { readonly problem: TestAnswer } {
  const unauthorized = { problem: problem(401, 'The request you have made requires authentication.') }
  switch (method) {
    case 'password': {
      const given = at(details, 'user')
      if (at(given, 'id') === undefined && at(given, 'domain') === undefined) {
        return {
          problem: problem(
            400,
            `{'name': …} is not valid under any of the given schemas. ${'x'.repeat(3000)}`,
          ),
        }
      }
      const user = userNamed(given)
      return user && user.password === at(given, 'password') ? { user } : unauthorized
    }
    case 'token': {
      const from = identity.check(text(at(details, 'id')))
      return from ? { user: from.user, from } : unauthorized
    }
    case 'application_credential': {
      const named = at(details, 'id') === testApplicationCredential.id || isNamedCredential(details)
      return named && at(details, 'secret') === testApplicationCredential.secret
        ? { user: testUsers.demo }
        : unauthorized
    }
    default:
      return { problem: problem(400, 'There is no such method.') }
  }
}

function isNamedCredential(details: unknown): boolean {
  return (
    at(details, 'name') === testApplicationCredential.name &&
    userNamed(at(details, 'user'))?.id === testUsers.demo.id
  )
}

function userNamed(given: unknown): TestUser | undefined {
  return Object.values(testUsers).find(
    (user) =>
      at(given, 'id') === user.id ||
      (at(given, 'name') === user.name &&
        (at(given, 'domain', 'id') === user.domain.id || at(given, 'domain', 'name') === user.domain.name)),
  )
}

/** The id of the project; undefined for no scope, null for one that is refused. */
function projectOf(user: TestUser, scope: unknown): string | undefined | null {
  if (scope === undefined) return undefined
  if (at(scope, 'OS-TRUST:trust', 'id') === testTrust.id) {
    return user.id === testUsers.alice.id ? testUsers.demo.project.id : null
  }
  const project = at(scope, 'project')
  const { id, name } = user.project
  if (at(project, 'id') === id) return id
  const inDomain =
    at(project, 'domain', 'id') === user.domain.id || at(project, 'domain', 'name') === user.domain.name
  return at(project, 'name') === name && inDomain ? id : null
}

function issued(token: TestToken, catalogOf: CatalogOf): TestAnswer {
  const { user, projectId } = token
  const scoped =
    projectId === undefined
      ? {}
      : { project: { id: projectId, domain: user.domain }, catalog: catalogOf(projectId) }
  return json(
    201,
    {
      token: {
        methods: ['password'],
        user: { id: user.id, name: user.name, domain: user.domain },
        issued_at: token.issuedAt.toISOString(),
        expires_at: token.expiresAt.toISOString(),
        ...scoped,
      },
    },
    { 'x-subject-token': token.id },
  )
}

function problem(status: number, message: string): TestAnswer {
  return json(status, { error: { code: status, message, title: 'Problem' } })
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What is at a path of keys, in whatever came. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null && Object.hasOwn(part, key)
        ? (part as Record<string, unknown>)[key]
        : undefined,
    value,
  )
}

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
