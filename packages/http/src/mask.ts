const maxCharacters = 300
const htmlEntities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Returns the text of a server for a message: without secrets, markup and control characters, shortened. */
export function quotable(text: string, secrets: readonly string[] = []): string {
  const plain = masked(text, secrets)
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return plain.length > maxCharacters ? `${plain.slice(0, maxCharacters)}…` : plain
}

/** Returns a text with `***` for each secret, including its encodings in JSON, HTML and URLs. */
export function masked(text: string, secrets: readonly string[]): string {
  const encodings = secrets.filter((secret) => secret !== '').flatMap(encodingsOf)
  // The longest first: a secret may be a prefix of another.
  const inOrder = [...new Set(encodings)].sort((a, b) => b.length - a.length)
  return inOrder.reduce((rest, form) => rest.replaceAll(form, '***'), text)
}

function encodingsOf(secret: string): string[] {
  const html = secret.replace(/[&<>]/g, (char) => htmlEntities[char] ?? char)
  const quotedHtml = html.replaceAll('"', '&quot;')
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '\ufffd')),
    html,
    ...[quotedHtml, quotedHtml.replaceAll("'", '&#39;'), quotedHtml.replaceAll("'", '&#x27;')],
  ]
}

/** Returns a URL for a message: without user, password and query. */
export function quotableUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname}`
  } catch {
    return 'an invalid URL'
  }
}
