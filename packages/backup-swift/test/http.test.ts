import { isBackupError, type RetryEvent } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'

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
})
