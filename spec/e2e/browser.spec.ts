import { build } from 'esbuild'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { browse, findChromium } from './browser/chromium.ts'
import type { Answer, Said, Told } from './browser/page.ts'
import { freePorts } from '../../bench/harness/ports.ts'
import { eventually, Servers } from './servers.ts'

const chromium = findChromium()

// Where changes are accepted there has to be one: the test then fails for the lack of it.
const isSkipped = chromium === undefined && process.env['CI'] === undefined

const why = isSkipped ? ' (skipped: no Chromium here; CHROMIUM may say where one is)' : ''

const secret = 'a secret that is long enough'

/** `rxraft/kv` as a page gets it. That this works says that nothing of Node is in it. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('browser/page.ts', import.meta.url))],
    ...{ bundle: true, write: false, format: 'esm', platform: 'browser', logLevel: 'error' },
    // The built package, not the sources that the project's own configuration means by its name.
    tsconfigRaw: {},
  })
  return outputFiles[0]!.text
}

/** Serves the page, under a policy that lets nothing be evaluated, and hears what it says. */
class Pages {
  /** Everything that was said, page by page. */
  readonly said = new Map<string, Said>()
  answer: (said: Said) => Answer = () => ({ isEnough: true })

  constructor(
    private readonly script: string,
    private readonly told: Told,
  ) {}

  async open(port: number): Promise<string> {
    const origin = `http://127.0.0.1:${port}`
    const policy = `default-src 'none'; script-src 'self'; connect-src 'self' ws://127.0.0.1:*`
    const server = createServer((request, response) => {
      const send = (type: string, body: string): void => {
        response.writeHead(200, { 'content-type': type, 'content-security-policy': policy })
        response.end(body)
      }
      if (request.url === '/told') return send('application/json', JSON.stringify(this.told))
      if (request.url === '/page.js') return send('text/javascript', this.script)
      if (request.url !== '/said') return send('text/html', PAGE)
      let body = ''
      request.on('data', (data: Buffer) => (body += data.toString()))
      request.on('end', () => {
        const said = JSON.parse(body) as Said
        this.said.set(origin, { ...this.said.get(origin), ...said })
        send('application/json', JSON.stringify(this.answer(said)))
      })
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    return origin
  }
}

const PAGE = '<!doctype html><title>rxraft</title><script type="module" src="/page.js"></script>'

const webOf = ({ http }: { readonly http: string }): string =>
  `${http.replace('http', 'ws')}/clients`

test.skipIf(isSkipped)(
  `a page goes on when the leader is killed, and one of another origin is refused${why}`,
  { timeout: 60_000 },
  async () => {
    if (chromium === undefined) throw new Error('no Chromium here, and tests in CI need one')
    const servers = await Servers.create()
    onTestFinished(() => servers.close())
    const [own, other] = (await freePorts(2)) as [number, number]
    const file = join(servers.data, 'secret')
    writeFileSync(file, secret)
    // prettier-ignore
    servers.startAll(['--clients-secret-file', file, '--clients-origin', `http://127.0.0.1:${own}`])
    const leader = await servers.leader()
    const follower = [...servers.running.values()].find(({ id }) => id !== leader.id)!

    // The page knows one server, which tells it where the leader is, and where its successor.
    const pages = new Pages(await bundle(), { servers: [webOf(follower)], secret })
    const [origin, stranger] = [await pages.open(own), await pages.open(other)]
    let killedAt: number | undefined
    pages.answer = ({ written = 0, keys }) => {
      if (killedAt === undefined && written >= 100) {
        killedAt = written
        void servers.stop(leader.id, 'SIGKILL')
      }
      const isEnough = killedAt !== undefined && written >= killedAt + 100
      return { isEnough, ...(keys !== undefined && { next: stranger }) }
    }
    onTestFinished(browse(chromium, origin))

    const { written, keys, value } = await eventually(
      'the page',
      () => {
        const said = pages.said.get(origin)
        if (said?.error !== undefined) throw new Error(said.error.message)
        return said?.keys && said
      },
      40_000,
    )
    const expected = Array.from({ length: written! }, (_, i) => `key-${i}`)
    expect(keys).toEqual([...expected, 'large'])
    expect(value).toBe('as it was')

    const { error } = await eventually('a refusal', () => pages.said.get(stranger))
    expect(error?.code).toBe('refused')
    expect(error?.message).toContain(`pages of \\"${stranger}\\" are not let in`)
  },
)
