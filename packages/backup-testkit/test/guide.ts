import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const guide = new URL('../../../docs/writing-a-backend.md', import.meta.url)

/** The files that docs/writing-a-backend.md shows: the code blocks whose first line is the name of a file. */
export async function guideFiles(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(guide, 'utf8')
  const blocks = text.matchAll(/^```ts\n(\/\/ (\S+\.ts)\n[^]*?)^```$/gm)
  return new Map(Array.from(blocks, ([, code = '', name = '']) => [name, code]))
}

/** A test runner for the suite of the guide: the one of the test that loads it. */
export interface GuideRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: ((name: string, body: () => Promise<void>) => unknown) & { readonly skip?: unknown }
}

/**
 * Writes the files of the guide into an empty folder, loads one with tests from there, which registers them with `runner` in
 * place of `node:test`, and removes the folder.
 */
export async function loadGuideSuite(runner: GuideRunner, file = 'conformance.test.ts'): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-guide-'))
  const shared = globalThis as { stowageGuideRunner?: GuideRunner }
  try {
    shared.stowageGuideRunner = runner
    const runnerCode = 'export const { describe, it } = globalThis.stowageGuideRunner\n'
    await writeFile(join(folder, 'runner.js'), runnerCode)
    for (const [name, code] of await guideFiles()) {
      await writeFile(join(folder, name), code.replace("'node:test'", "'./runner.js'"))
    }
    await symlink(
      fileURLToPath(new URL('../../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    )
    await import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href)
  } finally {
    delete shared.stowageGuideRunner
    await rm(folder, { recursive: true, force: true })
  }
}
