import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A backup of a vault, and what it has to restore to. */
export interface VaultBackup {
  readonly label: string
  readonly id: string
  readonly volumeId: string
  readonly parentId: string | null
  readonly container: string
  readonly prefix: string
  readonly sizeBytes: number
  /** SHA-256 of the whole volume at the moment of the backup. */
  readonly sha256: string
  readonly objectCount: number
  /** `backup_compression_algorithm` when it was made. */
  readonly compression: string
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  readonly createdAt: string
  readonly name: string | null
  readonly description: string | null
  readonly volumeMeta: string | null
}

/** A directory that Cinder's POSIX driver wrote. */
export interface Vault {
  readonly name: string
  /** Its folder beside this file. */
  readonly root: string
  readonly purpose: string
  /** The compressors that reading it takes. */
  readonly words: readonly string[]
  /** In the order they were made: a parent always before its children. */
  readonly backups: readonly VaultBackup[]
}

/** Every vault. */
export const vaults = (
  JSON.parse(readFileSync(new URL('vaults.json', import.meta.url), 'utf8')) as { vaults: readonly Vault[] }
).vaults

/** The vault's root directory. */
export function vaultPath(vault: Vault): string {
  return fileURLToPath(new URL(vault.root, import.meta.url))
}
