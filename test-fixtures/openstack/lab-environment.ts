import { readFileSync } from 'node:fs'

/** A user of the lab's Keystone. */
export interface LabUser {
  readonly name: string
  readonly password: string
  readonly id: string
  readonly domainId: string
  readonly domainName: string
  readonly projectId: string
  readonly projectName: string
  readonly role: string
  /** The project's account in Swift. */
  readonly storageUrl: string
}

/** What `lab.mjs up` writes into `env.json`. */
export interface LabEnvironment {
  /** Where all files of the lab are; `log/` has a log for each server. */
  readonly directory: string
  /** Keystone v3, with the `/v3`. */
  readonly keystoneUrl: string
  readonly keystoneTlsUrl: string
  /** The same Keystone, for tokens that live for `shortTokenSeconds`. */
  readonly shortTokenKeystoneUrl: string
  readonly shortTokenSeconds: number
  /** The region whose endpoints are plain HTTP, and the one whose endpoints are the TLS front. */
  readonly region: string
  readonly tlsRegion: string
  /** Swift for Keystone's tokens, without the `/v1`. */
  readonly swiftUrl: string
  readonly swiftTlsUrl: string
  /** Auth v1 and the Swift that goes with it. */
  readonly v1AuthUrl: string
  readonly v1TlsAuthUrl: string
  readonly v1Users: readonly { readonly user: string; readonly key: string }[]
  /** The CA behind the TLS front, and one that signed nothing. */
  readonly caCertFile: string
  readonly otherCaCertFile: string
  /** Storage policies, the default one first. */
  readonly policies: readonly string[]
  /** `reader` may read nothing in Swift; `harold` is in the domain Harbour; `cinder` has service tokens. */
  readonly users: Readonly<Record<'admin' | 'demo' | 'alice' | 'harold' | 'reader' | 'cinder', LabUser>>
  /** An application credential of demo's. */
  readonly applicationCredential: {
    readonly id: string
    readonly name: string
    readonly secret: string
    readonly userId: string
    readonly userName: string
    readonly projectId: string
  }
  /** demo's trust in alice, with the role that Swift asks for. */
  readonly trust: {
    readonly id: string
    readonly trustor: string
    readonly trustee: string
    readonly projectId: string
  }
  /** The servers' process ids, for tests that stop one. */
  readonly processes: Readonly<Record<string, number>>
}

/** The running lab, as the environment variable STOWAGE_OPENSTACK names its `env.json`; undefined without one. */
export function labEnvironment(): LabEnvironment | undefined {
  const file = process.env['STOWAGE_OPENSTACK']
  return file === undefined || file === ''
    ? undefined
    : (JSON.parse(readFileSync(file, 'utf8')) as LabEnvironment)
}
