import { randomUUID } from 'node:crypto'

/** A user of the in-process Keystone, with one project. */
export interface TestUser {
  readonly id: string
  readonly name: string
  readonly password: string
  readonly domain: { readonly id: string; readonly name: string }
  readonly project: { readonly id: string; readonly name: string }
}

/** A token that was given out. */
export interface TestToken {
  readonly id: string
  readonly user: TestUser
  /** Undefined for a token without a scope. */
  readonly projectId: string | undefined
  readonly issuedAt: Date
  readonly expiresAt: Date
}

const defaultDomain = { id: 'default', name: 'Default' }

/** The users there are. The same names as in the project's real lab. */
export const testUsers = {
  demo: {
    id: 'd3e30d3e30d3e30d3e30d3e30d3e30d3',
    name: 'demo',
    password: 'demo-password',
    domain: defaultDomain,
    project: { id: 'de30de30de30de30de30de30de30de30', name: 'demo' },
  },
  alice: {
    id: 'a11cea11cea11cea11cea11cea11cea1',
    name: 'alice',
    password: 'alice-password',
    domain: defaultDomain,
    project: { id: 'a11ce000a11ce000a11ce000a11ce000', name: 'alice' },
  },
  harold: {
    id: '4a401d4a401d4a401d4a401d4a401d4a',
    name: 'harold',
    password: '0123',
    domain: { id: 'b0a7b0a7b0a7b0a7b0a7b0a7b0a7b0a7', name: 'Harbour' },
    project: { id: 'b0a70000b0a70000b0a70000b0a70000', name: 'boats' },
  },
  cinder: {
    id: 'c14de4c14de4c14de4c14de4c14de4c1',
    name: 'cinder',
    password: 'cinder-password',
    domain: defaultDomain,
    project: { id: '5e471ce05e471ce05e471ce05e471ce0', name: 'service' },
  },
} as const satisfies Record<string, TestUser>

/** An application credential of demo's. */
export const testApplicationCredential = {
  id: 'ac00ac00ac00ac00ac00ac00ac00ac00',
  name: 'backups',
  secret: 'application-secret',
} as const

/** demo's trust in alice. */
export const testTrust = { id: '74057405740574057405740574057405' } as const

/** The user of auth version 1. */
export const testV1User = { user: 'test:tester', key: 'testing', account: 'AUTH_test' } as const

/** Who has which token. */
export class Identity {
  readonly #tokens = new Map<string, TestToken>()
  readonly #tokenSeconds: number

  constructor(tokenSeconds: number) {
    this.#tokenSeconds = tokenSeconds
  }

  /** Gives out a token. One that was made from another keeps its end. */
  issue(user: TestUser, projectId: string | undefined, from?: TestToken): TestToken {
    const issuedAt = new Date()
    const token = {
      id: `gAAAA${randomUUID()}`,
      user,
      projectId,
      issuedAt,
      expiresAt: from?.expiresAt ?? new Date(issuedAt.getTime() + this.#tokenSeconds * 1000),
    }
    this.#tokens.set(token.id, token)
    return token
  }

  /** A token that is good; undefined for any other. */
  check(id: string | undefined): TestToken | undefined {
    const token = id === undefined ? undefined : this.#tokens.get(id)
    return token && token.expiresAt.getTime() > Date.now() ? token : undefined
  }

  /** Makes all tokens void. */
  revokeAll(): void {
    this.#tokens.clear()
  }
}
