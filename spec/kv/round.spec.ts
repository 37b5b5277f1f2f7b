import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { eventually, start, stopAll } from './support.ts'

afterEach(stopAll)

it('writes that come together over many connections are one batch of the log', async () => {
  const { url, node, put } = await start()
  await eventually(async () => (await put('x', 'x')).status === 200 || undefined)
  const sockets = Array.from({ length: 8 }, () => connect(Number(new URL(url).port), '127.0.0.1'))
  const say = (request: string): Promise<string[]> => {
    const answered = sockets.map(async (socket) => String((await once(socket, 'data'))[0]))
    for (const socket of sockets) socket.write(request)
    return Promise.all(answered)
  }
  await say('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')
  const counts: number[] = []
  node.trace$.subscribe((trace) => {
    const batches = trace.type === 'step' ? (trace.step.save?.batches ?? []) : []
    counts.push(...batches.map(({ count }) => count))
  })
  const all = await say('PUT /kv/x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx')
  expect(all.filter((answer) => answer.startsWith('HTTP/1.1 200'))).toHaveLength(8)
  expect(counts).toEqual([8])
  for (const socket of sockets) socket.destroy()
})
