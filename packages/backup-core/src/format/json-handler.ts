import type { JsonText } from './json-text.js'

/**
 * Told what a JSON text holds, in its order. What a {@link JsonText} shows is only good during the call.
 */
export interface JsonHandler {
  beginObject(): void
  /** The key of the value that comes next. */
  key(text: JsonText): void
  endObject(): void
  beginArray(): void
  endArray(): void
  string(text: JsonText): void
  /** A number as it is written, so that whoever wants an integer can refuse what would be rounded. */
  number(text: string): void
  literal(value: boolean | null): void
}
