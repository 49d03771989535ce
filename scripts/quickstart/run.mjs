import { spawn, spawnSync } from 'node:child_process'

/** Runs a program to its end and returns what it printed. Throws, with its output, when it fails. */
export function capture(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const out = []
    const all = []
    child.stdout.on('data', (piece) => {
      out.push(piece)
      all.push(piece)
    })
    child.stderr.on('data', (piece) => all.push(piece))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(out).toString())
        return
      }
      const said = Buffer.concat(all).toString().trimEnd()
      reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}:\n${said}`))
    })
  })
}

/** Where a program is, also in the directories that a user who is not root has not in the PATH; undefined if nowhere. */
export function findProgram(name) {
  const PATH = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`
  const found = spawnSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', name], { env: { ...process.env, PATH } })
  const path = found.stdout?.toString().trim()
  return found.status === 0 && path !== '' ? path : undefined
}
