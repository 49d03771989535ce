/** Whether `no_proxy` exempts a URL from the proxy: hosts and `.domains`, with a port or without; `*` for all. */
export function isExempt(noProxy: string, origin: string): boolean {
  const { protocol, hostname, port } = new URL(origin)
  const host = hostname.toLowerCase()
  const portNumber = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const match = /^(.+):(\d+)$/.exec(entry)
      if (match && Number(match[2]) !== portNumber) return false
      const name = (match?.[1] ?? entry).toLowerCase()
      return /^[.*]/.test(name) ? host.endsWith(name.replace(/^\*/, '')) : host === name
    })
}
