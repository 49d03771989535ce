const maxCharacters = 300
const htmlEntities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** A server's own words, fit for a message: no secrets, no markup, no control characters, not long. */
export function quotable(text: string, secrets: readonly string[] = []): string {
  const plain = masked(text, secrets)
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return plain.length > maxCharacters ? `${plain.slice(0, maxCharacters)}…` : plain
}

/** The text with `***` for each secret, also where it is written as in JSON, HTML or a URL. */
export function masked(text: string, secrets: readonly string[]): string {
  const forms = secrets.filter((secret) => secret !== '').flatMap(formsOf)
  // The longest first: one secret may begin with another.
  const inOrder = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return inOrder.reduce((rest, form) => rest.replaceAll(form, '***'), text)
}

function formsOf(secret: string): string[] {
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

/** A URL fit for a message: without user, password and query. */
export function quotableUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname}`
  } catch {
    return 'an address that is no URL'
  }
}
