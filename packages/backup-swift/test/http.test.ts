import { BackupError, isBackupError, type RetryEvent, type RetryListener } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { AttemptFailure, retrying, type RetryReport } from '../src/http/retry.js'
import { isExempt } from '../src/http/connection-pool.js'
import { quotable } from '../src/http/mask.js'
import { SwiftBackupDriver } from '../src/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'

const failure = (retry: 'never' | 'after-backoff' | 'immediately', waitMs?: number): AttemptFailure =>
  new AttemptFailure(new BackupError('STORE_UNAVAILABLE', 'Away.'), retry, { retryAfterMs: waitMs })

const reporting = (onRetry: RetryListener): RetryReport => ({ operation: 'a request', onRetry })

describe('retries', () => {
  it('wait twice as long each time, less at most half, and never longer than the ceiling', async () => {
    const delays: number[] = []
    const policy = { retries: 6, backoffMs: 2, maxBackoffMs: 16, deadlineMs: 60_000 }
    const attempt = (): Promise<never> => Promise.reject(failure('after-backoff'))
    await assert.rejects(
      retrying(
        policy,
        undefined,
        attempt,
        reporting(({ delayMs }) => delays.push(delayMs)),
      ),
      /Away\. Tried 7 times/,
    )
    for (const [index, delay] of delays.entries()) {
      const full = Math.min(16, 2 * 2 ** index)
      assert.ok(delay <= full && delay >= full / 2, `${delay} of ${full}`)
    }
    assert.equal(delays.length, 6)
  })

  it('never happen for what cannot get better', async () => {
    let attempts = 0
    const attempt = (): Promise<never> => {
      attempts += 1
      return Promise.reject(failure('never'))
    }
    await assert.rejects(
      retrying({ retries: 5, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 1000 }, undefined, attempt),
    )
    assert.equal(attempts, 1)
  })

  it('obey the time that a server asks for, and give up at once where it lies past the deadline', async () => {
    const policy = { retries: 3, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 5000 }
    const delays: number[] = []
    let attempts = 0
    const attempt = (): Promise<string> => {
      attempts += 1
      return attempts === 1 ? Promise.reject(failure('after-backoff', 30)) : Promise.resolve('done')
    }
    assert.equal(
      await retrying(
        policy,
        undefined,
        attempt,
        reporting(({ delayMs }) => delays.push(delayMs)),
      ),
      'done',
    )
    assert.deepEqual(delays, [30])
    const hours = (): Promise<never> => Promise.reject(failure('after-backoff', 3_600_000))
    await assert.rejects(retrying(policy, undefined, hours), /3600\.0 s, past the deadline/)
  })

  it('that a failure limits are counted apart from those of other failures', async () => {
    const policy = { retries: 6, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 60_000 }
    const limited = new AttemptFailure(new BackupError('OBJECT_CORRUPT', 'Changed.'), 'after-backoff', {
      maxRetries: 2,
    })
    const run = async (failures: readonly AttemptFailure[]): Promise<number> => {
      let attempts = 0
      const attempt = (): Promise<string> => {
        const next = failures[attempts]
        attempts += 1
        return next ? Promise.reject(next) : Promise.resolve('done')
      }
      await retrying(policy, undefined, attempt).catch(() => undefined)
      return attempts
    }
    const away = failure('after-backoff')
    assert.equal(await run([away, away, away, limited, limited]), 6)
    assert.equal(await run([away, away, limited, limited, limited, limited]), 5)
  })

  it('continue where their listener throws', async () => {
    const policy = { retries: 1, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 5000 }
    let attempts = 0
    const attempt = (): Promise<string> =>
      ++attempts === 1 ? Promise.reject(failure('after-backoff')) : Promise.resolve('done')
    const failing = reporting(() => {
      throw new Error('the terminal is gone')
    })
    assert.equal(await retrying(policy, undefined, attempt, failing), 'done')
  })

  it('end with ABORTED when their signal is aborted while they wait', async () => {
    const controller = new AbortController()
    const policy = { retries: 3, backoffMs: 60_000, maxBackoffMs: 60_000, deadlineMs: 600_000 }
    const attempt = (): Promise<never> => Promise.reject(failure('after-backoff'))
    const waiting = retrying(
      policy,
      controller.signal,
      attempt,
      reporting(() => {
        controller.abort()
      }),
    )
    await assert.rejects(waiting, (error) => isBackupError(error, 'ABORTED'))
  })
})

describe('a request', () => {
  it('that is answered with Retry-After waits that long, and the error names the transaction', async () => {
    await using cloud = await TestCloud.start()
    const events: RetryEvent[] = []
    await using driver = new SwiftBackupDriver({
      ...fast,
      credentials: demoPassword(cloud),
      onRetry: (event) => {
        events.push(event)
      },
    })
    const fault = { kind: 'status', status: 503, headers: { 'retry-after': '1' } } as const
    cloud.faults.add({ fault, when: ({ method }) => method === 'PUT' })
    await driver.putContainer('c', {})
    assert.deepEqual(
      events.map(({ operation, attempt, delayMs }) => [operation, attempt, delayMs]),
      [['Creating container c', 1, 1000]],
    )
    assert.match(events[0]?.error.details.requestId ?? '', /^tx\d+-test$/)
    assert.equal(events[0]?.error.details.status, 503)
  })

  it('whose bytes the server reports as changed is retried twice, not as often as after a busy server', async () => {
    await using cloud = await TestCloud.start()
    await using driver = new SwiftBackupDriver({
      ...fast,
      backupSwiftRetryAttempts: 10,
      credentials: demoPassword(cloud),
    })
    for (const [status, tries] of [
      [422, 3],
      [503, 11],
    ] as const) {
      const before = cloud.requests.filter(({ method }) => method === 'PUT').length
      cloud.faults.add({
        fault: { kind: 'status', status },
        when: ({ method }) => method === 'PUT',
        times: tries,
      })
      await assert.rejects(driver.putContainer('c', {}), new RegExp(`Tried ${tries} times`))
      const puts = cloud.requests.filter(({ method }) => method === 'PUT').length - before
      assert.equal(puts, tries)
    }
  })

  it('that is answered with a redirect fails, and sends the token nowhere else', async () => {
    await using other = await TestCloud.start()
    await using cloud = await TestCloud.start()
    await using driver = new SwiftBackupDriver({ ...fast, credentials: demoPassword(cloud) })
    const fault = { kind: 'status', status: 307, headers: { location: `${other.origin}/v1/x` } } as const
    cloud.faults.add({ fault, when: ({ service }) => service === 'swift', times: Infinity })
    await assert.rejects(driver.putContainer('c', {}), /Redirects are not followed/)
    assert.deepEqual(other.requests, [])
  })

  it('to a host that is not known fails at once', async () => {
    await using driver = new SwiftBackupDriver({
      ...fast,
      credentials: { method: 'v1', authUrl: 'http://no-such-host.invalid/auth/v1.0', user: 'a:b', key: 'k' },
    })
    await assert.rejects(driver.checkForSetupError(), (error) => {
      assert.ok(isBackupError(error, 'STORE_UNAVAILABLE'), String(error))
      return true
    })
  })

  it('to a port where nobody listens is STORE_UNAVAILABLE after its retries', async () => {
    const cloud = await TestCloud.start()
    await cloud.close()
    await using driver = new SwiftBackupDriver({ ...fast, credentials: demoPassword(cloud) })
    await assert.rejects(driver.checkForSetupError(), (error) => {
      assert.ok(isBackupError(error, 'STORE_UNAVAILABLE'), String(error))
      assert.match(error.message, /the connection was refused.*Tried 4 times/)
      return true
    })
  })

  it('that is aborted while the server is silent ends at once, and closing the driver leaves no connection', async () => {
    await using cloud = await TestCloud.start()
    const driver = new SwiftBackupDriver({
      ...fast,
      headersTimeoutSeconds: 60,
      credentials: demoPassword(cloud),
    })
    await driver.checkForSetupError()
    const controller = new AbortController()
    cloud.faults.add({ fault: { kind: 'stall' }, when: ({ method }) => method === 'PUT' })
    const waiting = driver.putContainer('c', { signal: controller.signal })
    setTimeout(() => {
      controller.abort()
    }, 50)
    await assert.rejects(waiting, (error) => isBackupError(error, 'ABORTED'))
    await driver.close()
    // The server sees the end of its connections a moment later.
    for (let tries = 0; (await cloud.connections()) > 0 && tries < 100; tries += 1) await sleep(10)
    assert.equal(await cloud.connections(), 0)
  })

  it('goes through the proxy of the environment, but not to hosts of no_proxy', async () => {
    await using cloud = await TestCloud.start()
    const through: string[] = []
    const proxy = createServer((incoming, outgoing) => {
      through.push(incoming.url ?? '')
      const { method, headers, url = '' } = incoming
      const onward = request(url, { method, headers, agent: false }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      incoming.pipe(onward)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    try {
      const http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
      for (const [env, expected] of [
        [{ http_proxy, no_proxy: '127.0.0.1' }, false],
        [{ http_proxy }, true],
      ] as const) {
        await using driver = new SwiftBackupDriver({ ...fast, env, credentials: demoPassword(cloud) })
        await driver.checkForSetupError()
        assert.equal(through.length > 0, expected)
        assert.ok(through.every((url) => url.startsWith(cloud.origin)))
      }
    } finally {
      await new Promise((resolve) => proxy.close(resolve))
    }
  })
})

describe('a proxy', () => {
  const deadPort = async (): Promise<number> => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    return port
  }

  it('that does not answer is what the error names, with the variable that sets it, for both schemes', async () => {
    const port = await deadPort()
    for (const [scheme, variable] of [
      ['http', 'http_proxy'],
      ['http', 'HTTP_PROXY'],
      ['https', 'HTTPS_PROXY'],
    ] as const) {
      await using driver = new SwiftBackupDriver({
        ...fast,
        env: { [variable]: `http://user:secret@127.0.0.1:${port}` },
        credentials: { method: 'v1', authUrl: `${scheme}://swift.example/auth/v1.0`, user: 'a:b', key: 'k' },
      })
      await assert.rejects(driver.checkForSetupError(), (error) => {
        assert.ok(isBackupError(error, 'STORE_UNAVAILABLE'), String(error))
        const proxy = `the proxy http://127.0.0.1:${port} of ${variable}:`
        assert.ok(error.message.includes(proxy), error.message)
        assert.match(error.message, /unset/)
        assert.ok(!error.message.includes('secret'))
        return true
      })
    }
  })

  it('that refuses a tunnel is named', async () => {
    const proxy = createServer()
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
      await using driver = new SwiftBackupDriver({
        ...fast,
        env: { HTTPS_PROXY: url },
        credentials: { method: 'v1', authUrl: 'https://swift.example/auth/v1.0', user: 'a:b', key: 'k' },
      })
      await assert.rejects(driver.checkForSetupError(), (error) => {
        assert.ok(isBackupError(error, 'STORE_UNAVAILABLE'), String(error))
        assert.ok(error.message.includes(`the proxy ${url} of HTTPS_PROXY`), error.message)
        return true
      })
    } finally {
      await new Promise((resolve) => proxy.close(resolve))
    }
  })

  it('whose variable is not a URL is OPTION_INVALID, and the value is not in the message', () => {
    for (const value of ['http://[bad', 'socks5://127.0.0.1:1080', '::::']) {
      assert.throws(
        () => new SwiftBackupDriver({ ...fast, env: { HTTPS_PROXY: value }, context: { authToken: 't' } }),
        (error) => {
          assert.ok(isBackupError(error, 'OPTION_INVALID'), String(error))
          assert.match(error.message, /HTTPS_PROXY/)
          assert.ok(!error.message.includes(value))
          return true
        },
      )
    }
  })

  for (const [noProxy, origin, exempt] of [
    ['', 'http://a.example', false],
    ['*', 'http://a.example', true],
    ['a.example', 'http://a.example', true],
    ['a.example', 'http://b.a.example', true],
    ['a.example', 'http://ba.example', false],
    ['a.example:8080', 'http://b.a.example:8080', true],
    ['.example', 'https://a.example', true],
    ['*.example, other', 'https://a.example', true],
    ['a.example:8080', 'http://a.example:8080', true],
    ['a.example:8080', 'http://a.example', false],
    ['A.Example:443', 'https://a.example', true],
    ['[::1]', 'http://[::1]:8080', true],
    ['::1', 'http://[::1]:8080', true],
    ['[::1]:8080', 'http://[::1]', false],
  ] as const) {
    it(`is ${exempt ? 'not used' : 'used'} for ${origin} with no_proxy=${noProxy}`, () => {
      assert.equal(isExempt(noProxy, origin), exempt)
    })
  }
})

describe('what a server says', () => {
  it('is quoted short, on one line, and without the secrets that it may hold', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 2000 }),
        fc.string({ minLength: 8, maxLength: 40 }),
        (text, secret) => {
          fc.pre(!'***…'.includes(secret) && !text.includes(secret))
          const quoted = quotable(`${text} ${secret} ${text}`, [secret])
          assert.ok(quoted.length <= 301)
          assert.ok(!quoted.includes(secret))
          assert.ok(!/[\n\r\0]/.test(quoted))
        },
      ),
    )
  })
})
