import type { TestContainer } from './account-store.js'
import type { TestAnswer, TestRequest } from './answer.js'

/** `POST ?bulk-delete`: always 200, and its own status inside. */
export function bulkDelete(containers: Map<string, TestContainer>, request: TestRequest): TestAnswer {
  const lines = request.body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  const errors: [string, string][] = []
  let deleted = 0
  let missing = 0
  for (const line of lines) {
    const [containerName, ...rest] = decodeURIComponent(line).replace(/^\//, '').split('/')
    const container = containers.get(containerName ?? '')
    const object = rest.join('/')
    if (object === '' && container) {
      // A container alone is deleted as a container: only if it is empty.
      if (container.objects.size > 0) errors.push([line, '409 Conflict'])
      else if (containers.delete(containerName ?? '')) deleted += 1
    } else if (container?.objects.delete(object)) deleted += 1
    else missing += 1
  }
  const report = {
    'Number Deleted': deleted,
    'Number Not Found': missing,
    'Response Status': errors.length > 0 ? '400 Bad Request' : '200 OK',
    'Response Body': '',
    Errors: errors,
  }
  // Swift sends spaces ahead, to keep the connection alive.
  return { status: 200, headers: { 'content-type': 'application/json' }, body: `  ${JSON.stringify(report)}` }
}
