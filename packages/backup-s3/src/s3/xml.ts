import { parseXml, XmlElement, type XmlDocument } from '@rgrove/parse-xml'

/** An element of a response, without namespaces: stores use several, or none. */
export class XmlNode {
  readonly #element: XmlElement

  constructor(element: XmlElement) {
    this.#element = element
  }

  get name(): string {
    return localName(this.#element)
  }

  /** The text of a child; undefined if there is none. White space is kept: a key may begin with it. */
  text(name: string): string | undefined {
    return this.all(name)[0]?.content
  }

  /** All children of a name. */
  all(name: string): XmlNode[] {
    return this.#element.children
      .filter((child): child is XmlElement => child instanceof XmlElement && localName(child) === name)
      .map((child) => new XmlNode(child))
  }

  get content(): string {
    return this.#element.text
  }
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1)
}

/**
 * Parses a response; undefined for what is not well-formed XML in UTF-8. Entities beyond the five of XML are not expanded: the
 * parser reads no DTD.
 */
export function parseResponse(bytes: Uint8Array | string): XmlNode | undefined {
  let document: XmlDocument
  try {
    const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    // Some stores send an empty line first, to keep a connection alive.
    document = parseXml(text.trimStart())
  } catch {
    return undefined
  }
  return document.root ? new XmlNode(document.root) : undefined
}

/** Escapes a text for an element. Control characters as references: XML 1.0 normalises a bare CR. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`)
}
