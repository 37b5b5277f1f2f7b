import { createServer } from 'node:net'

/** Below those from which Linux draws ports for connections: a server that is down would find its own taken. */
const RANGE: readonly [first: number, last: number] = [20_000, 32_000]

/** So many ports that nobody listens to now, for servers that come and go. */
export async function listeningPorts(count: number): Promise<number[]> {
  const [first, last] = RANGE
  const width = last - first
  const ports: number[] = []
  // Runs side by side begin at different places.
  for (let i = 0; ports.length < count && i < width; i++) {
    const port = first + ((process.pid * 37 + i) % width)
    if (await isFree(port)) ports.push(port)
  }
  if (ports.length < count) throw new Error(`there are not ${count} free ports`)
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
