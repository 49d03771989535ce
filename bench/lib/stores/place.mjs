import { PosixStore } from './posix-store.mjs'

/**
 * A container or a directory of its own in a store.
 *
 * @typedef {object} Place
 * @property {Store} store
 * @property {string} name the container's name
 * @property {string | undefined} path the directory, in a posix store
 * @property {SwiftAccount | undefined} account the account, in Swift
 */

/**
 * @typedef {object} SwiftAccount
 * @property {string} storageUrl
 * @property {string} token
 * @property {string} keystoneUrl
 * @property {{ name: string, password: string, projectName: string, domainName: string }} user
 */

/**
 * @typedef {object} Store
 * @property {'swift' | 'posix'} kind
 * @property {string} what for people
 * @property {(name: string) => Promise<Place>} newPlace
 * @property {(place: Place, backupId: string) => Promise<void>} removeBackup
 * @property {(place: Place) => Promise<void>} remove
 */

/**
 * Opens the store that the command line names; a Swift is brought up if none runs. Its end is noted before its beginning:
 * a signal may come while it starts.
 *
 * @param {string} kind
 * @param {string} directory
 * @param {import('../workplace.mjs').Closing} closing
 * @returns {Promise<Store>}
 */
export async function openStore(kind, directory, closing) {
  if (kind === 'posix') {
    const store = new PosixStore(directory)
    closing.add(() => store.close())
    return store
  }
  if (kind !== 'swift') throw new Error(`--store ${kind}: write swift or posix.`)
  const { SwiftStore } = await import('./swift-store.mjs')
  return SwiftStore.open(directory, closing)
}
