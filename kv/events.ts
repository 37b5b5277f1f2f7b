import type { IncomingMessage } from 'node:http'

/** One of a stream of server-sent events; a field that it lacks is empty. */
export interface ServerSent {
  readonly event: string
  readonly id: string
  readonly data: string
}

/** Takes a stream of server-sent events apart. */
export async function* events(response: IncomingMessage): AsyncGenerator<ServerSent, void> {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const lines = block.split('\n')
      const [event, id, data] = [
        fieldOf(lines, 'event'),
        fieldOf(lines, 'id'),
        fieldOf(lines, 'data'),
      ]
      yield { event, id, data }
    }
  }
}

function fieldOf(lines: readonly string[], name: string): string {
  const line = lines.find((it) => it.startsWith(`${name}: `))
  return line === undefined ? '' : line.slice(name.length + 2)
}
