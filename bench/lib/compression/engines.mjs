import { fileURLToPath } from 'node:url'
import { isInstalled } from '../clients/all-clients.mjs'
import { ownEngines } from './own-engines.mjs'

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))

/**
 * What is compared.
 *
 * @typedef {object} Engine
 * @property {string} name as the table has it
 * @property {'zlib' | 'bz2' | 'zstd'} format
 * @property {'python' | 'own' | 'program'} kind
 * @property {number} [mostBytes] how much of the data it is given, where it is too slow for all of it
 * @property {(mode: 'compress' | 'decompress', from: string, to: string, chunkBytes: number, mostBytes: number) => string[]} argv
 */

/** A MiB or four of what others get a hundred of: pure JavaScript makes under one a second. */
const slowBytes = 4 * 1024 * 1024

/**
 * All engines that this machine has; the others are told of.
 *
 * @param {{ nodes: readonly string[], say: (line: string) => void }} options `nodes` are those that run our engines
 * @returns {Engine[]}
 */
export function allEngines({ nodes, say }) {
  return [
    ...['zlib', 'bz2', 'zstd'].map((word) => python(/** @type {Engine['format']} */ (word))),
    program('zlib', 'gzip -6', ['gzip', '-6', '-n'], ['gzip', '-d']),
    program('zlib', 'pigz -6', ['pigz', '-6', '-n'], ['pigz', '-d']),
    program('bz2', 'bzip2', ['bzip2'], ['bzip2', '-d']),
    program('bz2', 'lbzip2', ['lbzip2'], ['lbzip2', '-d']),
    program('bz2', 'pbzip2', ['pbzip2'], ['pbzip2', '-d']),
    program('zstd', 'zstd -3', ['zstd', '-q', '-3'], ['zstd', '-q', '-d']),
    program('zstd', 'zstd -3 -T0', ['zstd', '-q', '-3', '-T0'], ['zstd', '-q', '-d']),
    ...nodes.flatMap((node, index) => [...ownEngines.keys()].map((name) => own(name, node, index > 0))),
  ].filter((engine) => {
    const { argv } = engine
    const [name = ''] = argv('compress', '', '', 0, 0)
    const there = isInstalled({ program: name })
    if (!there) say(`${engine.name} is left out: ${name} is not installed`)
    return there
  })
}

/**
 * @param {Engine['format']} word
 * @returns {Engine}
 */
function python(word) {
  return {
    name: `Python ${word}`,
    format: word,
    kind: 'python',
    argv: (mode, from, to, chunkBytes, mostBytes) => [
      ...['/usr/bin/python3', here('python-engine.py'), mode, word, from, to],
      ...[String(chunkBytes), String(mostBytes)],
    ],
  }
}

/**
 * @param {string} name
 * @param {string} node
 * @param {boolean} another not the one that runs this
 * @returns {Engine}
 */
function own(name, node, another) {
  const format = /** @type {Engine['format']} */ (name.split(' ')[0])
  return {
    name: `stowage ${name}${another ? `, ${node}` : ''}`,
    format,
    kind: 'own',
    ...(name.includes('compressjs') ? { mostBytes: slowBytes } : {}),
    argv: (mode, from, to, chunkBytes, mostBytes) => [
      ...[node, here('own-engine.mjs'), mode, name, from, to],
      ...[String(chunkBytes), String(mostBytes)],
    ],
  }
}

/**
 * A program that takes standard input to standard output.
 *
 * @param {Engine['format']} format
 * @param {string} name
 * @param {string[]} compress
 * @param {string[]} decompress
 * @returns {Engine}
 */
function program(format, name, compress, decompress) {
  const argv = (/** @type {'compress' | 'decompress'} */ mode) => [
    ...(mode === 'compress' ? compress : decompress),
    '-c',
  ]
  return { name, format, kind: 'program', argv }
}
