import type { NewBackup } from '@stowage/backup-core'

/** Returns a prefix as Cinder's Swift and S3 drivers do: `volume_<id>/<time>/az_<zone>_backup_<id>`. */
export function zonedObjectNamePrefix({ id, volumeId, createdAt }: NewBackup, zone: string): string {
  const time = createdAt
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/\D/g, '')
  return `volume_${volumeId}/${time}/az_${zone}_backup_${id}`
}
