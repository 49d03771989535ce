import { isBackupError } from '@stowage/backup-core'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  DEFAULT_RETRY,
  DEFAULT_TIMEOUTS,
  networkOptions,
  networkSettings,
  withDefaults,
  type NetworkOptions,
  type NetworkSettings,
  type OwnNetworkOptions,
} from '../src/index.js'

const directory = mkdtempSync(join(tmpdir(), 'stowage-network-'))
afterAll(() => {
  rmSync(directory, { recursive: true })
})
const file = (name: string, text: string | Buffer): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

const own: OwnNetworkOptions = {
  caCertFile: { path: undefined, option: 'caFile (ca_file)' },
  insecure: false,
  retries: 3,
  backoffSeconds: 0.5,
  env: {},
}

const settings = (options: NetworkOptions = {}, others: Partial<OwnNetworkOptions> = {}): NetworkSettings =>
  networkSettings(withDefaults(networkOptions, options), { ...own, ...others })

/** The message of an OPTION_INVALID. */
function problemOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (!isBackupError(error, 'OPTION_INVALID')) throw error
    return error.message
  }
  throw new Error('It was accepted.')
}

describe('the settings of a client', () => {
  it('have the defaults of the client where no option is set', () => {
    const { timeouts, retry, connection } = settings()
    expect(timeouts).toEqual(DEFAULT_TIMEOUTS)
    expect(retry).toEqual({
      ...DEFAULT_RETRY,
      retries: 3,
      backoffMs: 500,
      deadlineName: 'retryDeadlineSeconds',
    })
    expect(connection).toEqual({ insecure: false, connectTimeoutMs: 10_000, env: {} })
  })

  it('have each option in the unit of the client', () => {
    const { timeouts, retry, connection } = settings({
      connectTimeoutSeconds: 1,
      headersTimeoutSeconds: 2,
      bodyTimeoutSeconds: 3,
      minBytesPerSecond: 4,
      progressWindowSeconds: 5,
      exchangeTimeoutSeconds: 6,
      retryMaxBackoffSeconds: 7,
      retryDeadlineSeconds: 8,
    })
    expect(timeouts).toEqual({
      ...{ connectMs: 1000, headersMs: 2000, bodyMs: 3000 },
      ...{ minBytesPerSecond: 4, windowMs: 5000, exchangeMs: 6000 },
    })
    expect(connection.connectTimeoutMs).toBe(1000)
    expect([retry.maxBackoffMs, retry.deadlineMs]).toEqual([7000, 8000])
  })

  it('read the certificates from their files', () => {
    const [clientCertFile, clientKeyFile] = [file('cert.pem', 'a cert'), file('key.pem', 'a key')]
    const caCertFile = { path: file('ca.pem', 'an authority'), option: 'caFile' }
    const { connection } = settings({ clientCertFile, clientKeyFile }, { caCertFile, insecure: true })
    expect(connection).toEqual({
      ...{ insecure: true, connectTimeoutMs: 10_000, env: {} },
      ...{ caCertificates: 'an authority', clientCertificate: 'a cert', clientKey: 'a key' },
    })
  })

  it('have the environment of the process where none is passed', () => {
    expect(settings({}, { env: undefined }).connection.env).toBe(process.env)
  })

  it('reject a client certificate without its key, and the reverse', () => {
    const message = 'Only one of clientCertFile and clientKeyFile is set'
    expect(problemOf(() => settings({ clientCertFile: '/x' }))).toContain(message)
    expect(problemOf(() => settings({ clientKeyFile: '/x' }))).toContain(message)
  })

  it('reject a file that is missing, is no file or is not text, by the name of its option', () => {
    const caProblem = (path: string): string =>
      problemOf(() => settings({}, { caCertFile: { path, option: 'caFile (ca_file)' } }))
    expect(caProblem('/nowhere/ca.pem')).toBe(
      'Cannot read the file /nowhere/ca.pem of caFile (ca_file): the file does not exist. Check the path.',
    )
    expect(caProblem(directory)).toContain('of caFile (ca_file): it is a directory')
    expect(caProblem(file('ca.der', Buffer.from([0x30, 0x82, 0xff])))).toContain('not valid UTF-8')
    const clientKeyFile = '/nowhere/key.pem'
    const clientCertFile = file('own.pem', 'a cert')
    expect(problemOf(() => settings({ clientCertFile, clientKeyFile }))).toContain('of clientKeyFile')
  })
})
