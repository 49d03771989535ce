import { BackupError } from '../errors/backup-error.js'

/** From this power of ten on, and below `1e-4`, Python's `repr` of a float has an exponent. JavaScript's are 21 and -7. */
const firstLargeExponent = 16
const lastSmallExponent = -5

/**
 * A number as Python's `json.dumps` prints it. A safe integer is printed as Python's `int`; anything else as its
 * `float`, whose shortest digits that read back the same are JavaScript's too, laid out differently.
 *
 * JavaScript cannot tell `1.0` from `1`: both are printed as the integer.
 *
 * @throws BackupError `OPTION_INVALID` for NaN and the infinities, which JSON does not have.
 */
export function pythonNumber(value: number): string {
  if (!Number.isFinite(value)) {
    throw new BackupError('OPTION_INVALID', `${value} cannot be written as JSON. Pass a finite number.`)
  }
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)

  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  const exponent = Number(exponentText)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  return sign + layOut(digits, exponent)
}

function layOut(digits: string, exponent: number): string {
  if (exponent >= firstLargeExponent || exponent <= lastSmallExponent) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${whole}.${digits.slice(exponent + 1) || '0'}`
}
