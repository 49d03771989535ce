/** Returns the text of a `_metadata` less the keys that Cinder does not write; the size of the volume stands last. */
export function withoutOwnKeys(json: Buffer | undefined): string | undefined {
  return json
    ?.toString('latin1')
    .replace(/,\n {2}"volume_size_bytes": \d+\n\}$/, '\n}')
    .replace(/\n {2}"stowage_checksum": "sha256:[0-9a-f]{64}",/, '')
    .replace(/\n {2}"stowage_parent_prefix": "[^"]+",/, '')
    .replace(/\n {2}"stowage_ancestors": \[[^\]]*\],/, '')
    .replace(/\n {2}"stowage_(?:block_size|chunk_size|data|sha256file)_bytes": \d+,/g, '')
}
