/**
 * The message of an error, with the name of what it is about before it where the message does not have that name: a sentence
 * that quotes it need not name the thing again.
 *
 * @param name - of an object, a container or a backup
 * @param shown - how the name is given, where it has to be: `container c`
 */
export function messageAbout(error: unknown, name: string, shown = name): string {
  const message = error instanceof Error ? error.message : String(error)
  return name !== '' && message.includes(name) ? message : `${shown}: ${message}`
}
