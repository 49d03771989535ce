/** Objects deleted at once. */
const deletesAtOnce = 4

/**
 * @typedef {object} Account
 * @property {string} storageUrl
 * @property {string} token
 */

/**
 * Deletes what `chosen` says. One by one: nobody measures it, and it needs no middleware.
 *
 * @param {Account} account
 * @param {string} container
 * @param {(name: string) => boolean} chosen
 */
export async function removeObjects(account, container, chosen) {
  const names = (await list(account, container)).filter(chosen)
  const workers = Array.from({ length: deletesAtOnce }, async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await send(account, 'DELETE', `${encodeURIComponent(container)}/${encodePath(name)}`)
    }
  })
  await Promise.all(workers)
}

/**
 * Deletes a container and all that is in it; one that is not there is fine.
 *
 * @param {Account} account
 * @param {string} container
 */
export async function removeContainer(account, container) {
  await removeObjects(account, container, () => true)
  await send(account, 'DELETE', encodeURIComponent(container))
}

/**
 * @param {Account} account
 * @param {string} container
 */
async function list(account, container) {
  /** @type {string[]} */
  const names = []
  for (;;) {
    const marker = encodeURIComponent(names.at(-1) ?? '')
    const page = await send(account, 'GET', `${encodeURIComponent(container)}?format=json&marker=${marker}`)
    const entries = page === '' ? [] : /** @type {{ name: string }[]} */ (JSON.parse(page))
    if (entries.length === 0) return names
    names.push(...entries.map(({ name }) => name))
  }
}

/**
 * @param {Account} account
 * @param {string} method
 * @param {string} path
 */
async function send({ storageUrl, token }, method, path) {
  const url = `${storageUrl}/${path}`
  const answer = await fetch(url, { method, headers: { 'x-auth-token': token } })
  const text = await answer.text()
  if (answer.ok) return text
  if (answer.status === 404) return ''
  throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`)
}

/** @param {string} name */
function encodePath(name) {
  return name.split('/').map(encodeURIComponent).join('/')
}
