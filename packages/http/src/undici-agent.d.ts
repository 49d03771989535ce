/** The file of undici's `Agent`, which is not declared by undici's types. */
declare module 'undici/lib/dispatcher/agent.js' {
  import type { Agent } from 'undici'
  const agent: typeof Agent
  export default agent
}
