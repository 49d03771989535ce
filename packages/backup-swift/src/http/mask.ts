const maxCharacters = 300

/** A server's own words, fit for a message: no secrets, no markup, no control characters, not long. */
export function quotable(text: string, secrets: readonly string[] = []): string {
  let plain = text
  for (const secret of secrets) {
    if (secret.length > 0) plain = plain.replaceAll(secret, '***')
  }
  plain = plain
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return plain.length > maxCharacters ? `${plain.slice(0, maxCharacters)}…` : plain
}

/** A URL fit for a message: without user, password and query. */
export function quotableUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname}`
  } catch {
    return 'an address that is no URL'
  }
}
