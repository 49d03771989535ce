import { optionRules as rules, type OptionRule } from '../checks/check-options.js'
import { propertyProblem } from '../checks/property-problem.js'
import type { CompressorPackage } from '../contracts/compressor-package.js'

const shape: Readonly<Record<keyof CompressorPackage, OptionRule>> = {
  algorithms: rules.required(rules.arrayOf(rules.nonEmptyText, 'an array of names of algorithms')),
  create: rules.required(rules.callback),
}

/**
 * Returns why the `stowage` command rejects the `stowageCompressors` of a package; undefined where it accepts it. For the
 * tests of a compressor package.
 */
export function compressorPackageProblem(value: unknown): string | undefined {
  return propertyProblem(value, shape)
}
