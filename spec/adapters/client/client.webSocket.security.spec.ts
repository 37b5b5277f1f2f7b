import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { networkInterfaces } from 'node:os'
import { firstValueFrom } from 'rxjs'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws'
import { connect } from '../../../adapters/client.ts'
import { connect as connectInBrowser } from '../../../adapters/client/browser.ts'
import { Refused } from '../../../adapters/client/errors.ts'
import { isWelcome } from '../../../adapters/client/origin.ts'
import { overWebSocket } from '../../../adapters/client/overWebSocket.ts'
import { partyOf } from '../../../adapters/client/party.ts'
import { locating } from '../../../adapters/client/way.ts'
import { SUBPROTOCOL } from '../../../adapters/client/webSocketWire.ts'
import { serveWebSockets, type ServeWebSocketsOptions } from '../../../adapters/client/websocket.ts'
import { frame } from '../../../adapters/transport/tcp/frame.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { raft } from '../../../operators/engine/index.ts'
import { authority } from '../transport/certificates.ts'
import { clientOf, eventually, HELLO, Sites, strangerAt, useWire, type Site } from './bench.ts'

beforeAll(() => useWire('ws'))

const secret = 'a secret that is long enough'

/** A WebSocket as a browser would open it on a page of this origin. */
const onPageOf = (origin: string) =>
  class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { origin })
    }
  }

const said = ({ notices }: Site): string[] => notices.map(({ message }) => message)

describe('a shared secret', () => {
  it('lets in whoever has it, at servers that have it', async () => {
    const client = (await Sites.open('abc', { secret })).client({ secret })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
  })

  it.each([
    ['another secret', { secret: 'another that is long enough' }, 'the secret is another'],
    ['no secret', {}, 'it asks for a secret'],
    ['another cluster', { secret, cluster: 'bank' }, 'it asks for \\"bank/clients\\"'],
  ])('refuses %s, and says so at once', async (_, options, reason) => {
    const client = (await Sites.open('a', { secret })).client(options)
    const refused = expect(firstValueFrom(client.propose(1))).rejects
    await refused.toBeInstanceOf(Refused)
    await refused.toThrow(reason)
  })

  it('has to be at the server, too', async () => {
    const client = (await Sites.open('a')).client({ secret })
    const refused = expect(firstValueFrom(client.propose(1))).rejects
    await refused.toBeInstanceOf(Refused)
    await refused.toThrow('it does not prove that it has the secret')
  })

  it('is never said, nor proved with what was said before', async () => {
    const [site] = (await Sites.open('a', { secret })).all
    const challenges = [1, 2].map(async () => {
      const stranger = strangerAt(site!)
      stranger.say({ ...HELLO, incarnation: 'the same' })
      const { head } = await stranger.said('challenge')
      stranger.write(frame('proof', head))
      expect(await stranger.refused()).toBe('the secret is another')
      return Buffer.from(head).toString('hex')
    })
    expect(new Set(await Promise.all(challenges)).size).toBe(2)
  })

  it('is asked for before anything else is taken', async () => {
    const [site] = (await Sites.open('a', { secret })).all
    const stranger = strangerAt(site!)
    stranger.say(HELLO)
    await stranger.said('challenge')
    stranger.write(frame('message', new Uint8Array(24)))
    await stranger.closed()
    await eventually(() => said(site!).find((it) => it.includes('message instead of proof')))
  })
})

describe('a page', () => {
  it.each([
    ['that says nothing of its origin', undefined, true],
    ['from where the server is', 'http://shop.example:8001', true],
    ['from there, behind something that speaks TLS', 'https://shop.example:8001', true],
    ['of an origin that is named', 'https://page.example', true],
    ['from another port', 'http://shop.example:8002', false],
    ['from another host', 'http://evil.example:8001', false],
    ['from a host that begins alike', 'http://shop.example:8001.evil.example', false],
    ['of no origin', 'null', false],
  ])('%s: %s', (_, origin, expected) => {
    expect(isWelcome(origin, 'Shop.example:8001', ['https://page.example'])).toBe(expected)
  })

  it('from elsewhere is refused, and told why', async () => {
    const sites = await Sites.open('a')
    const client = sites.client({ WebSocket: onPageOf('http://evil.example') })
    const refused = expect(firstValueFrom(client.propose(1))).rejects
    await refused.toBeInstanceOf(Refused)
    await refused.toThrow('pages of \\"http://evil.example\\" are not let in')
  })

  it('of an origin that is named is let in', async () => {
    const sites = await Sites.open('a', { origins: ['https://page.example'] })
    const client = sites.client({ WebSocket: onPageOf('https://page.example') })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
  })

  it('can be judged by its request', async () => {
    const checkRequest = ({ headers }: { headers: IncomingHttpHeaders }) => {
      if (headers.cookie === 'user=') throw new Error('a cookie that is none')
      return headers.cookie === 'user=alice' ? undefined : 'nobody is logged in'
    }
    const sites = await Sites.open('a', { checkRequest })
    const refused = expect(firstValueFrom(sites.client().propose(1))).rejects
    await refused.toThrow('nobody is logged in')
    const site = sites.all[0]!
    class OfNobody extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers: { cookie: 'user=' } })
      }
    }
    const asking = new OfNobody(site.address, [SUBPROTOCOL])
    await new Promise((resolve) => asking.on('close', resolve))
    expect(said(site)).toContainEqual(expect.stringContaining('a cookie that is none'))
    class OfAlice extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers: { cookie: 'user=alice' } })
      }
    }
    const client = sites.client({ WebSocket: OfAlice })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
  })
})

describe('an address', () => {
  it.each([
    ['ws://10.0.0.1:9001', {}, 'wss://, or on this machine'],
    ['ws://shop.example/clients', { secret }, 'wss://, or on this machine'],
    [
      'wss://a.example',
      { tls: authority().issue(['raft://shop%2Fclients/x']) },
      'certificates are for TCP',
    ],
    ['wss://', {}, "a URL such as 'wss://shop.example/clients'"],
    ['wss://shop.example/#clients', {}, 'a URL such as'],
    ['wss://alice:word@shop.example/', {}, 'a URL such as'],
  ])('%s is refused with %j', (address, options, expected) => {
    const wrong = () => clientOf({ servers: [address], ...options })
    expect(wrong).toThrow(ConfigError)
    expect(wrong).toThrow(expected)
  })

  it.each(['wss://shop.example/clients', 'ws://localhost:1', 'ws://127.3.2.1:1', 'ws://[::1]:1'])(
    '%s is not',
    (address) => void clientOf({ servers: [address] }),
  )

  it('beyond this machine is not, where that is said in so many words', () => {
    clientOf({ servers: ['ws://10.0.0.1:9001'], insecureTrustNetwork: true })
  })

  it('takes the class of the runtime, and needs one where that has none', async () => {
    onTestFinished(() => void vi.unstubAllGlobals())
    const options = { servers: (await Sites.open('a')).addresses, cluster: 'shop' }
    vi.stubGlobal('WebSocket', undefined)
    expect(() => connect(options)).toThrow('WebSocket is "missing: this runtime has none')
    vi.stubGlobal('WebSocket', WebSocket)
    const client = connect(options)
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
    client.close()
  })

  it('of TCP is none in a browser', () => {
    const wrong = () => connectInBrowser({ servers: ['127.0.0.1:1'], cluster: 'shop', WebSocket })
    expect(wrong).toThrow('ws:// or wss:// in a browser, which has no TCP')
  })

  it('of another kind is not learnt: no protected wire leads to one that is not', () => {
    const find = overWebSocket(partyOf({ cluster: 'shop' }), WebSocket)
    const { locate } = locating(find, ['wss://a.example/clients'])
    expect(locate('wss://b.example/clients').name).toBe('wss://b.example/clients')
    expect(() => locate('ws://127.0.0.1:8001/clients')).toThrow('one of the kind wss')
    expect(() => locate('127.0.0.1:9001')).toThrow(ConfigError)
  })
})

describe('over wss://', () => {
  it('a server of its own is reached with its certificate', async () => {
    const { ca, issue } = authority()
    const { cert, key } = issue([])
    const sites = await Sites.open('a', { https: { cert, key } })
    class Trusting extends WebSocket {
      constructor(url: string, protocols: string[]) {
        const options: ClientOptions = { ca, checkServerIdentity: () => undefined as never }
        super(url.replace('ws://', 'wss://'), protocols, options)
      }
    }
    const client = sites.client({ WebSocket: Trusting })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
  })
})

const node = () => raft({ id: 'a', machine: { initial: 0, apply: (n: number) => [n, n] as const } })

describe('an option that cannot be', () => {
  it.each<[string, object, string]>([
    ['beyond this machine', { listen: '0.0.0.0:0' }, 'listen is "0.0.0.0:0"'],
    ['in plain text', { listen: '0.0.0.0:0', secret }, 'unless there are `https` and `secret`'],
    ['a secret that is short', { secret: 'short' }, 'secret is "5 bytes long"'],
    ['a path that is none', { path: 'clients' }, 'path is "clients"'],
    ['an origin with a path', { origins: ['https://page.example/'] }, 'origins is'],
    ['no class', { WebSocketServer: undefined }, 'the class of the package ws'],
    ['two servers', { server: createServer() }, 'one of the two'],
    ['nobody', { maxClients: 0 }, 'maxClients is 0'],
  ])('%s', (_, options, expected) => {
    const wrong = () =>
      serveWebSockets(node(), {
        ...{ cluster: 'shop', listen: '127.0.0.1:0', WebSocketServer, ...options },
      })
    expect(wrong).toThrow(ConfigError)
    expect(wrong).toThrow(expected)
  })
})

/** Where this machine is for others, if it is anywhere. */
const own = Object.values(networkInterfaces())
  .flat()
  .find((it) => it?.family === 'IPv4' && !it.internal)?.address

describe.skipIf(own === undefined)('from beyond this machine, as its own address counts', () => {
  async function visit(
    options: Partial<ServeWebSocketsOptions<unknown>>,
    client: object = {},
    https = false,
  ) {
    const { ca, issue } = authority()
    const { cert, key } = issue([]) as { readonly cert: string; readonly key: string }
    const server = https ? createSecureServer({ cert, key }) : createServer()
    await new Promise<void>((resolve) => server.listen(0, own, resolve))
    const { port } = server.address() as { readonly port: number }
    const it = node()
    const serving = serveWebSockets(it, {
      ...{ cluster: 'shop', server, WebSocketServer, ...options },
    }).subscribe()
    const running = it.connect()
    onTestFinished(() => {
      serving.unsubscribe()
      running.unsubscribe()
      server.close()
    })
    class Trusting extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { ca, checkServerIdentity: () => undefined as never })
      }
    }
    return clientOf({
      servers: [`${https ? 'wss' : 'ws'}://${own}:${port}/clients`],
      ...{ WebSocket: Trusting, insecureTrustNetwork: !https, ...client },
    })
  }

  it('nobody is let in in plain text, whatever the secret', async () => {
    const client = await visit({ secret }, { secret })
    const refused = expect(firstValueFrom(client.propose(1))).rejects
    await refused.toThrow('from beyond this machine only over wss://')
  })

  it('nor who has nothing to show', async () => {
    const client = await visit({}, {}, true)
    const refused = expect(firstValueFrom(client.propose(1))).rejects
    await refused.toThrow('from beyond this machine only with a secret')
  })

  it('who has the secret is let in over TLS', async () => {
    const client = await visit({ secret }, { secret }, true)
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ index: 3 })
  })

  it('so is everybody, where that is said in so many words', async () => {
    const client = await visit({ insecureTrustNetwork: true })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ index: 3 })
  })
})
