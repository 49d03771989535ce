#!/usr/bin/env node
// `npm run release:dry-run`: what `lerna publish from-package` would publish, packed and checked by npm. Publishes nothing.
import { npm, show } from './lib/run.mjs'
import { packages } from './lib/workspace.mjs'

const published = packages()
for (const { manifest } of published) {
  await show(npm, ['publish', '--dry-run', '--provenance=false', '--workspace', manifest.name])
}
console.log(
  `${published.length} packages would be published: ${published.map(({ manifest }) => manifest.name).join(', ')}`,
)
