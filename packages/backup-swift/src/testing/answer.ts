/** A request with its body read. */
export interface TestRequest {
  readonly method: string
  /** Encoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** An answer before it is sent. */
export interface TestAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** An answer in JSON. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): TestAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

/** An answer in Swift's way of speaking. */
export function html(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): TestAnswer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=UTF-8', ...headers },
    body: `<html><h1>${text}</h1><p>${text}</p></html>`,
  }
}
