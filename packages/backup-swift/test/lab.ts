import { labEnvironment } from '../../../test-fixtures/openstack/lab-environment.js'
import type { LabEnvironment, LabUser } from '../../../test-fixtures/openstack/lab-environment.js'
import type { KeystoneScope, PasswordCredentials, SwiftDriverOptions } from '../src/index.js'

/** The lab that STOWAGE_OPENSTACK names; undefined without one, where its tests are skipped. */
export const lab: LabEnvironment | undefined = labEnvironment()

/** The lab, in a test that is skipped without one. */
export function theLab(): LabEnvironment {
  if (!lab) throw new Error('STOWAGE_OPENSTACK names no lab')
  return lab
}

/** A user's password, for a token of the user's own project. */
export function passwordOf(user: LabUser, authUrl = theLab().keystoneUrl): PasswordCredentials {
  return {
    method: 'password',
    authUrl,
    username: user.name,
    password: user.password,
    userDomain: { id: user.domainId },
    scope: projectOf(user),
  }
}

/** A user's own project. */
export function projectOf(user: LabUser): KeystoneScope {
  return { project: { id: user.projectId } }
}

/** Options for the lab that keep a failing test from taking minutes. */
export const labOptions: SwiftDriverOptions = {
  backupSwiftRetryAttempts: 3,
  backupSwiftRetryBackoff: 0.2,
  env: {},
}

/** The region of the plain endpoints: the lab's catalog has one behind TLS too. */
export function plainRegion(): SwiftDriverOptions {
  return { ...labOptions, backupSwiftRegionName: theLab().region }
}
