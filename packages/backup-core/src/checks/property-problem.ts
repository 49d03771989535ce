import { describeValue, isObject, type OptionRule } from './check-options.js'

/**
 * Returns what is wrong with the properties of a value that another package exports; undefined where they are valid.
 * Properties without a rule are accepted: a newer package may have more.
 */
export function propertyProblem(
  value: unknown,
  shape: Readonly<Record<string, OptionRule>>,
): string | undefined {
  if (!isObject(value)) return `it must be an object, not ${describeValue(value)}`
  for (const [name, rule] of Object.entries(shape)) {
    const property = value[name]
    const isValid = property === undefined ? rule.required !== true : rule.accepts(property)
    if (!isValid) return `\`${name}\` must be ${rule.expected}, not ${describeValue(property)}`
  }
  return undefined
}
