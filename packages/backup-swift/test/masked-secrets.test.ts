import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import type { SwiftDriverOptions } from '../src/index.js'
import { fast } from './support.js'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

type Answer = (request: IncomingMessage) => {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** A server that issues tokens as auth v1, Keystone v2.0 and v3 do, and answers requests to the account with `answer`. */
async function serve(answer: Answer): Promise<string> {
  const listening = createServer((request, response) => {
    request.resume()
    const base = `http://${request.headers.host ?? ''}`
    const url = request.url ?? ''
    const issued: ReturnType<Answer> | undefined = url.startsWith('/auth/')
      ? { status: 200, headers: { 'x-auth-token': 'issued-token', 'x-storage-url': `${base}/v1/AUTH_a` } }
      : url.startsWith('/v3/')
        ? { status: 201, headers: { 'x-subject-token': 'issued-token' }, body: '{"token":{}}' }
        : url.startsWith('/v2.0/')
          ? { status: 200, body: '{"access":{"token":{"id":"issued-token"}}}' }
          : url === '/info'
            ? { status: 404 }
            : undefined
    const { status, headers = {}, body = '' } = issued ?? answer(request)
    response.writeHead(status, headers).end(body)
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

const secret = 'Se<cr&et"1'
const user = { userDomain: { id: 'default' }, username: 'u', scope: { project: { id: 'p' } } }

const signIns: Readonly<Record<string, (base: string) => SwiftDriverOptions>> = {
  'the password (v3)': (base) => ({
    credentials: { method: 'password', authUrl: `${base}/v3`, ...user, password: secret },
  }),
  'the password (v2.0)': (base) => ({
    credentials: {
      method: 'keystone-v2',
      authUrl: `${base}/v2.0`,
      username: 'u',
      password: secret,
      tenantName: 't',
    },
  }),
  "the application credential's secret": (base) => ({
    credentials: { method: 'application-credential', authUrl: `${base}/v3`, id: 'i', secret },
  }),
  'the key (v1)': (base) => ({
    credentials: { method: 'v1', authUrl: `${base}/auth/v1.0`, user: 'a:u', key: secret },
  }),
  backupSwiftKey: (base) => ({
    backupSwiftAuth: 'single_user',
    backupSwiftAuthUrl: `${base}/auth/v1.0`,
    backupSwiftUser: 'a:u',
    backupSwiftKey: secret,
  }),
  'the token for a token': (base) => ({
    credentials: { method: 'token', authUrl: `${base}/v3`, token: secret, scope: user.scope },
  }),
  "the service user's password": (base) => ({
    credentials: { method: 'v1', authUrl: `${base}/auth/v1.0`, user: 'a:u', key: 'k-e-y' },
    backupSwiftServiceAuth: true,
    serviceCredentials: { method: 'password', authUrl: `${base}/v3`, ...user, password: secret },
  }),
}

async function errorOf(options: SwiftDriverOptions, base: string): Promise<unknown> {
  await using driver = new SwiftBackupDriver({
    ...fast,
    storageUrl: `${base}/v1/AUTH_a`,
    container: 'c',
    ...options,
  })
  return await driver.listBackups().then(
    () => assert.fail('the list is an error'),
    (error: unknown) => error,
  )
}

describe('a text of the Swift endpoint in an error', () => {
  for (const [name, optionsOf] of Object.entries(signIns)) {
    it(`has *** for ${name}`, async () => {
      const said = `user u pw ${secret} issued-token ${JSON.stringify({ secret })} ${encodeURIComponent(secret)}`
      const base = await serve(() => ({ status: 507, headers: { 'x-trans-id': `tx-${secret}` }, body: said }))
      const error = await errorOf(optionsOf(base), base)
      assert.ok(isBackupError(error, 'NO_SPACE'), String(error))
      assert.match(
        error.message,
        /the server reports: user u pw \*\*\* \*\*\* \{"secret":"\*\*\*"\} \*\*\*\)/,
      )
      assert.match(error.details.requestId ?? '', /^tx-\*\*\*$/)
      assert.doesNotMatch(inspect(error, { depth: 10 }), /Se<|cr&|et"1|et\\"1|issued-token/)
    })
  }

  it('is not in the cause of a listing that is not JSON', async () => {
    const base = await serve(() => ({ status: 200, body: secret }))
    const error = await errorOf(signIns['the key (v1)']!(base), base)
    assert.ok(isBackupError(error, 'LISTING_INVALID'), String(error))
    assert.doesNotMatch(inspect(error, { depth: 10 }), /Se<c/)
  })
})
