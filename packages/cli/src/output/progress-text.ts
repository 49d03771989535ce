import type { Progress, ProgressStep } from '@stowage/backup-core'
import { formatSize } from '../sizes.js'
import { formatDuration } from './duration.js'
import type { SpeedEstimate } from './speed-estimate.js'

/** Chosen so that the longest amount, speed and time fit into 80 columns. */
const barCells = 12

/** Names of the steps that move no bytes of the volume. */
export const stepTexts: Readonly<Record<ProgressStep, string>> = {
  'read-parent': 'reading the parent backup',
  'store-hash-list': 'storing the block hashes',
  'store-metadata': 'storing the metadata',
  'sync-target': 'waiting for the disk',
}

/** The line of a terminal, cut to its width. Without a total it has no bar. */
export function barLine(progress: Progress, meter: SpeedEstimate, nowMs: number, columns: number): string {
  const parts = [progress.phase.padEnd(7)]
  if (progress.percent !== undefined) {
    const full = Math.floor((progress.percent / 100) * barCells)
    parts.push(`${percentOf(progress).padStart(4)} ${'█'.repeat(full)}${'░'.repeat(barCells - full)}`)
  }
  parts.push(...details(progress, meter, nowMs))
  // One cell stays free: a terminal that wraps at the last column would leave half a line behind at each redraw.
  return parts.join('  ').slice(0, Math.max(1, columns - 1))
}

/** The line of a log. */
export function plainLine(progress: Progress, meter: SpeedEstimate, nowMs: number): string {
  const percent = progress.percent === undefined ? '' : ` ${percentOf(progress)}`
  return `${progress.phase}${percent}: ${details(progress, meter, nowMs).join(', ')}`
}

function percentOf({ percent }: Progress): string {
  // 100 % only at the end.
  return `${String(Math.floor(percent ?? 0))}%`
}

function details(progress: Progress, meter: SpeedEstimate, nowMs: number): string[] {
  const { done, total, phase } = progress
  const count = phase === 'delete' ? (value: number) => String(value) : formatSize
  const unit = phase === 'delete' ? ' objects' : ''
  const amount = total === undefined ? `${count(done)}${unit}` : `${count(done)} of ${count(total)}${unit}`
  if (progress.step !== undefined) return [amount, stepTexts[progress.step]]
  const speed = meter.perSecond(nowMs)
  const leftMs = total === undefined ? undefined : meter.leftMs(total, nowMs)
  return [
    amount,
    ...(speed === undefined ? [] : [`${count(Math.round(speed))}${unit}/s`]),
    ...(leftMs === undefined
      ? [`${formatDuration(meter.elapsedMs(nowMs))} so far`]
      : [`${formatDuration(leftMs)} left`]),
  ]
}
