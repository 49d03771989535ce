import type { TestAnswer, TestRequest } from './answer.js'
import { json } from './answer.js'
import type { Identity, TestToken, TestUser } from './identity.js'
import { testApplicationCredential, testTrust, testUsers } from './identity.js'

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
