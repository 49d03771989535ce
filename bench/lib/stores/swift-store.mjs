import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { down, up } from '../../../test-fixtures/openstack/lab.mjs'
import { KeystoneClient } from '../../../test-fixtures/openstack/lib/keystone-client.mjs'
import { removeContainer, removeObjects } from './swift-clean-up.mjs'

/** Keystone's tokens live for an hour; a single job is far shorter than what is left then. */
const tokenMs = 20 * 60_000
const acceptedMs = 30_000

/** A real Swift on loopback: the one that STOWAGE_OPENSTACK names, or one of our own. */
export class SwiftStore {
  kind = /** @type {const} */ ('swift')
  #lab
  #token = ''
  #signedInAt = Number.NEGATIVE_INFINITY

  /** @param {any} lab what env.json says */
  constructor(lab) {
    this.#lab = lab
  }

  /**
   * @param {string} directory where a lab may be brought up
   * @param {import('../workplace.mjs').Closing} closing
   */
  static async open(directory, closing) {
    const running = process.env.STOWAGE_OPENSTACK
    if (running) return new SwiftStore(JSON.parse(readFileSync(running, 'utf8')))
    closing.add(async () => {
      await down(directory)
      rmSync(directory, { recursive: true, force: true })
    })
    return new SwiftStore(JSON.parse(readFileSync(await up(directory), 'utf8')))
  }

  get what() {
    return `Swift at ${this.#lab.swiftUrl}`
  }

  /** The account, a token for it, and the user whom both belong to. All clients are handed the same. */
  async account() {
    const user = this.#lab.users.demo
    if (performance.now() - this.#signedInAt > tokenMs) {
      const keystone = await KeystoneClient.signIn(this.#lab.keystoneUrl, user)
      await untilAccepted(user.storageUrl, keystone.token)
      this.#token = keystone.token
      this.#signedInAt = performance.now()
    }
    return { storageUrl: user.storageUrl, token: this.#token, keystoneUrl: this.#lab.keystoneUrl, user }
  }

  /**
   * A container that does not exist yet.
   *
   * @param {string} name
   */
  async newPlace(name) {
    return { store: this, name, path: undefined, account: await this.account() }
  }

  /**
   * Removes one backup of a place, and leaves the others.
   *
   * @param {import('./place.mjs').Place} place
   * @param {string} backupId
   */
  async removeBackup({ name }, backupId) {
    await removeObjects(await this.account(), name, (object) => object.includes(backupId))
  }

  /** @param {import('./place.mjs').Place} place */
  async remove({ name }) {
    const account = await this.account()
    // swift upload and rclone put the segments of an object into a container beside its own.
    for (const container of [name, `${name}_segments`]) await removeContainer(account, container)
  }
}

/**
 * Waits until Swift takes a token. The first one that a new proxy sees may be refused while it signs in to Keystone
 * itself, and whichever client runs first should not be the one to find out.
 *
 * @param {string} storageUrl
 * @param {string} token
 */
async function untilAccepted(storageUrl, token) {
  const deadline = performance.now() + acceptedMs
  for (;;) {
    const { status } = await fetch(storageUrl, { method: 'HEAD', headers: { 'x-auth-token': token } })
    if (status < 300) return
    if (performance.now() > deadline) throw new Error(`Swift answers ${status} to a token that is new.`)
    await sleep(200)
  }
}
