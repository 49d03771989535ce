import { theLab } from './lab.js'

/** Empties an account of the lab, so that no test finds what another left. */
export async function emptyAccount(storageUrl: string, token: string): Promise<void> {
  const headers = { 'x-auth-token': token }
  for (const container of await namesAt(`${storageUrl}?format=json`, headers)) {
    const url = `${storageUrl}/${encodeURIComponent(container)}`
    const objects = await namesAt(`${url}?format=json`, headers)
    const lines = objects.map((name) => `/${encodeURIComponent(container)}/${encodeURIComponent(name)}`)
    if (lines.length > 0) {
      const bulk = { ...headers, 'content-type': 'text/plain', accept: 'application/json' }
      const answer = await fetch(`${storageUrl}?bulk-delete`, {
        method: 'POST',
        headers: bulk,
        body: lines.join('\n'),
      })
      await answer.arrayBuffer()
    }
    await (await fetch(url, { method: 'DELETE', headers })).arrayBuffer()
  }
}

/** A Keystone token of demo's, and the account it is for. */
export async function demoToken(): Promise<{
  readonly token: string
  readonly storageUrl: string
  readonly catalog: unknown
}> {
  const { keystoneUrl, users } = theLab()
  const { name, password, domainId, projectId, storageUrl } = users.demo
  const answer = await fetch(`${keystoneUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name, password, domain: { id: domainId } } } },
        scope: { project: { id: projectId } },
      },
    }),
  })
  const body = (await answer.json()) as { token: { catalog: unknown } }
  return { token: answer.headers.get('x-subject-token') ?? '', storageUrl, catalog: body.token.catalog }
}

async function namesAt(url: string, headers: Record<string, string>): Promise<string[]> {
  const answer = await fetch(url, { headers })
  const entries = (await answer.json()) as { name: string }[]
  return entries.map(({ name }) => name)
}
