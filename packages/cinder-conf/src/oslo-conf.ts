import { BackupError } from '@stowage/backup-core'

/** `[DEFAULT]`'s values where a file does not set them, for `$name`. */
export type KnownDefaults = Readonly<Record<string, string>>

/** One option of a group, as written. */
interface Assignment {
  readonly value: string
  /** From 1. */
  readonly line: number
}

/**
 * A configuration file as oslo.config reads it, seen by running it: the first `:` or `=` parts a line, `#` begins a
 * comment only at a line's start, quotes around the whole value go, an indented line continues the one before it,
 * the last of several assignments holds, and `$name`, `${name}` and `$group.name` are replaced (`$$` and `\$` are a
 * dollar).
 */
export class OsloConf {
  readonly #groups = new Map<string, Map<string, Assignment>>()
  readonly #defaults: KnownDefaults

  /** @throws `CONFIG_INVALID`, with the line. */
  constructor(text: string, defaults: KnownDefaults = {}) {
    this.#defaults = defaults
    this.#parse(text)
  }

  /** The value of an option of a group, with its references replaced; undefined where the file has none. */
  get(group: string, name: string): string | undefined {
    const raw = this.#raw(group, name)
    if (raw === undefined) return undefined
    return this.#replaced(raw.value, { group, name, line: raw.line, seen: [`${group}.${name}`] })
  }

  #parse(text: string): void {
    let group: Map<string, Assignment> | undefined
    let open: { name: string; value: string; line: number } | undefined
    const finish = (): void => {
      if (group && open) group.set(open.name, { value: open.value, line: open.line })
      open = undefined
    }
    for (const [index, rawLine] of text.split('\n').entries()) {
      const line = rawLine.trimEnd()
      if (line === '') {
        finish()
      } else if (/^[ \t]/.test(line)) {
        if (!open)
          throw invalid(index, 'the line is indented, and there is nothing before it that it continues')
        open.value += `\n${line.trim()}`
      } else if (line.startsWith('#') || line.startsWith(';')) {
        finish()
      } else if (line.startsWith('[')) {
        finish()
        if (!line.endsWith(']') || line.length < 3)
          throw invalid(index, 'a group begins with [ and ends with ]')
        group = this.#groupNamed(line.slice(1, -1))
      } else {
        finish()
        if (!group) throw invalid(index, 'a group such as [DEFAULT] has to come first')
        open = assignmentOf(line, index)
      }
    }
    finish()
  }

  #groupNamed(name: string): Map<string, Assignment> {
    const key = name.toLowerCase()
    const group = this.#groups.get(key) ?? new Map<string, Assignment>()
    this.#groups.set(key, group)
    return group
  }

  #raw(group: string, name: string): Assignment | undefined {
    return this.#groups.get(group.toLowerCase())?.get(name)
  }

  #replaced(raw: string, at: Reference): string {
    return raw
      .replaceAll('\\$', '$$$$')
      .replace(
        /\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi,
        (_all, dollar: string | undefined, bare: string | undefined, braced: string | undefined) =>
          dollar ?? this.#referred(bare ?? braced ?? '', at),
      )
  }

  #referred(reference: string, at: Reference): string {
    const dot = reference.lastIndexOf('.')
    const name = reference.slice(dot + 1)
    for (const home of dot < 0 ? [at.group, 'DEFAULT'] : [reference.slice(0, dot)]) {
      const raw = this.#raw(home, name)
      if (raw === undefined) continue
      const place = `${home}.${name}`
      if (at.seen.includes(place)) throw badReference(at, 'refers to itself. Write its value out')
      return this.#replaced(raw.value, { ...at, group: home, seen: [...at.seen, place] })
    }
    const known = this.#defaults[name]
    if (dot < 0 && known !== undefined) return known
    throw badReference(
      at,
      'refers with $ to an option that the file does not set. Write $$ for a dollar sign, or set that option',
    )
  }
}

/** The option whose references are being replaced. */
interface Reference {
  readonly group: string
  readonly name: string
  readonly line: number
  readonly seen: readonly string[]
}

/** Names the option and its line alone: what follows a dollar sign may be the rest of a password. */
function badReference({ name, line }: Reference, why: string): BackupError {
  return new BackupError('CONFIG_INVALID', `Option ${name} in line ${line} of the configuration ${why}.`)
}

function assignmentOf(line: string, index: number): { name: string; value: string; line: number } {
  const end = line.search(/[:=]/)
  if (end < 0) throw invalid(index, 'there is no = and no : in it')
  const name = line.slice(0, end).trim()
  if (name === '') throw invalid(index, 'the option has no name')
  const value = line.slice(end + 1).trim()
  const quote = value[0]
  const quoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote)
  return { name, value: quoted ? value.slice(1, -1) : value, line: index + 1 }
}

function invalid(index: number, why: string): BackupError {
  return new BackupError('CONFIG_INVALID', `Line ${index + 1} of the configuration cannot be read: ${why}.`)
}
