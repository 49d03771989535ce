import type { StoreOptions } from '@stowage/backup-core'
import { MemoryBackupDriver } from '../src/index.js'
import type { BrokenDriver } from './broken-drivers.js'

const likeOnVolumes = [
  'a listing of the prefix of one volume does not match another one in which a character is where it has an underscore',
  'a listing of the prefix of one volume does not match another one in which characters are where it has a percent sign',
]
const ofAnotherCase = 'a listing of the prefix of one volume does not match one whose id differs in case'
const wildcards =
  'an underscore, a percent sign or a backslash in a prefix is matched literally, not as a wildcard of SQL'
const withItsCase = 'a prefix is matched case-sensitively'

/** A memory driver that compares names with prefixes in a way of its own. */
abstract class ComparingDriver extends MemoryBackupDriver {
  override async *getContainerEntries(
    container: string,
    prefix: string,
    options: StoreOptions,
  ): AsyncGenerator<string> {
    for await (const name of super.getContainerEntries(container, '', options)) {
      if (this.beginsWith(name, prefix)) yield name
    }
  }

  protected abstract beginsWith(name: string, prefix: string): boolean
}

/** What `name LIKE prefix || '%'` says. */
function isLike(name: string, prefix: string, { escape = '', flags = '' } = {}): boolean {
  let pattern = ''
  for (let at = 0; at < prefix.length; at++) {
    const character = prefix.charAt(at)
    if (character === escape) pattern += literal(prefix.charAt(++at))
    else if (character === '%') pattern += '.*'
    else if (character === '_') pattern += '.'
    else pattern += literal(character)
  }
  return new RegExp(`^${pattern}`, `s${flags}`).test(name)
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** Drivers that compare the names of a listing as databases do. */
export const brokenListingDrivers: readonly BrokenDriver[] = [
  {
    fault: 'prefixes are matched by LIKE, with a backslash to escape, as in PostgreSQL',
    foundBy: [...likeOnVolumes, wildcards],
    Driver: class extends ComparingDriver {
      protected override beginsWith(name: string, prefix: string): boolean {
        return isLike(name, prefix, { escape: '\\' })
      }
    },
  },
  {
    fault: 'prefixes are matched by LIKE, without case, as in SQLite',
    foundBy: [...likeOnVolumes, ofAnotherCase, wildcards, withItsCase],
    Driver: class extends ComparingDriver {
      protected override beginsWith(name: string, prefix: string): boolean {
        return isLike(name, prefix, { flags: 'i' })
      }
    },
  },
  {
    fault: 'percent signs and underscores are escaped for LIKE, and backslashes are not',
    foundBy: [wildcards],
    Driver: class extends ComparingDriver {
      protected override beginsWith(name: string, prefix: string): boolean {
        return isLike(name, prefix.replace(/[%_]/g, '\\$&'), { escape: '\\' })
      }
    },
  },
  {
    fault: 'prefixes are matched without case',
    foundBy: [ofAnotherCase, withItsCase],
    Driver: class extends ComparingDriver {
      protected override beginsWith(name: string, prefix: string): boolean {
        return name.toLowerCase().startsWith(prefix.toLowerCase())
      }
    },
  },
]
