/**
 * A counter that everybody who has the page open shares: the page is a client of the cluster, here of one server.
 *
 *   npm run build && npx tsx examples/page.ts
 */
import { build } from 'esbuild'
import { createServer } from 'node:http'
import { fromEvent, merge, take } from 'rxjs'
import { raft } from 'rxraft'
import { serveWebSockets } from 'rxraft/client/websocket'
import { WebSocketServer } from 'ws'

const counter = {
  initial: 0,
  apply: (count: number, by: number) => [count + by, count + by] as const,
  query: (count: number, _question: 'count') => count,
}

const page = `<!doctype html>
<meta charset="utf-8">
<title>A shared counter</title>
<h1 id="count">…</h1>
<button id="more">one more</button>
<script type="module" src="/page.js"></script>`

const script = `
import { connect } from 'rxraft/client'

const client = connect({ servers: ['ws://' + location.host + '/clients'], cluster: 'page' })
const show = (count) => (document.getElementById('count').textContent = count)

client.query('count').subscribe(show)
// Everybody's clicks, in the one order that all agree on.
client.commits(1).subscribe(() => client.query('count').subscribe(show))
document.getElementById('more').onclick = () => client.propose(1).subscribe()`

const { outputFiles } = await build({
  stdin: { contents: script, resolveDir: '.' },
  ...{ bundle: true, write: false, format: 'esm', platform: 'browser', logLevel: 'error' },
  // In this repository: the built package, not its sources.
  tsconfigRaw: {},
})

const server = createServer(({ url }, response) => {
  const isScript = url === '/page.js'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
  response.end(isScript ? outputFiles[0]!.text : page)
}).listen(7821, '127.0.0.1')

const node = raft({ id: 'a', machine: counter })
const serving = serveWebSockets(node, { cluster: 'page', server, WebSocketServer }).subscribe()
const running = node.connect()
console.log('open http://127.0.0.1:7821 in two windows')

merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'))
  .pipe(take(1))
  .subscribe(() => {
    serving.unsubscribe()
    running.unsubscribe()
    server.close()
    server.closeAllConnections()
  })
