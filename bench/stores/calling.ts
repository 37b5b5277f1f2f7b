import { request, type Agent, type RequestOptions } from 'node:http'

export interface Call {
  readonly method: string
  readonly path: string
  readonly body: string
}

export interface Reply {
  readonly status: number
  readonly body: string
}

/** Sends a request over the agent's connections; rejects when there is no whole answer. */
export function call(
  address: string,
  { method, path, body }: Call,
  agent: Agent | undefined = undefined,
): Promise<Reply> {
  const [host, port] = address.split(':')
  const headers = body === '' ? {} : { 'content-length': Buffer.byteLength(body) }
  const options: RequestOptions = { host: host!, port: port!, method, path, headers }
  return new Promise((done, fail) => {
    const sent = request({ ...options, ...(agent && { agent }) }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => done({ status: response.statusCode ?? 0, body: text }))
      response.on('error', fail)
    })
    sent.on('error', fail)
    sent.end(body)
  })
}
