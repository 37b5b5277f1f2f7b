import { randomBytes } from 'node:crypto'
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { tcp, type Certificates, type TcpOptions } from '../../../adapters/transport/tcp.ts'
import { bench } from './bench.ts'
import { authority } from './certificates.ts'
import { freePort } from '../../../bench/harness/ports.ts'
import { meet, pulse, start, until, type Station } from './station.ts'
import { Stranger, strangerAt, tlsStrangerAt, Wire } from './stranger.ts'

const { addresses, run, closing } = bench()

const secret = randomBytes(32)
const quick = { backoff: [20, 50] as const }

/** Nobody heard anything, and nobody was let in. */
function expectNothing(...stations: readonly Station[]): void {
  for (const { received, notices, error } of stations) {
    expect(received).toEqual([])
    expect(notices.map(({ code }) => code)).not.toContain('peer-connected')
    expect(error).toBeUndefined()
  }
}

const portOf = (address: string): number => Number(address.split(':')[1])

const tlsStranger = async (at: string, options: ConnectionOptions): Promise<Stranger> =>
  closing(await tlsStrangerAt(at, options))

describe('with a shared secret', () => {
  it.each<[string, Partial<TcpOptions>]>([
    ['another secret [F62]', { secret: randomBytes(32) }],
    ['no secret [F68]', {}],
    ['another cluster [F67]', { secret, cluster: 'other' }],
  ])(
    'a server with %s hears nothing and is not heard, tells both, and tries again',
    async (_, more) => {
      const peers = await addresses('a', 'b')
      const [a, b] = [run('a', peers, { secret, ...quick }), run('b', peers, { ...quick, ...more })]
      a.send('b', pulse(1))
      b.send('a', pulse(1))
      const refused = /refused|version|connection/
      const told = (it: Station): number =>
        it.notices.filter(({ code, message }) => code !== 'listening' && refused.test(message))
          .length
      await until(
        () => told(a) >= 3 && told(b) >= 3,
        'refusals',
        () => [a.notices, b.notices],
      )
      expectNothing(a, b)

      b.stop()
      await meet(a, run('b', peers, { secret, ...quick }))
    },
  )

  it('says in words what may be wrong', async () => {
    const peers = await addresses('a', 'b')
    const [a, b] = [run('a', peers, { secret }), run('b', peers, { secret: randomBytes(32) })]
    await a.noticed('peer-refused', /the handshake was refused, perhaps because the secret/)
    await b.noticed('peer-refused', /the handshake was refused, perhaps because the secret/)
  })

  it('a recorded handshake opens nothing when it is played again [F65] [bug 65]', async () => {
    const peers = await addresses('a', 'b')
    const port = await freePort()
    const wire = closing(new Wire(port, portOf(peers['a']!)))
    // Only b can dial, and all that it says goes through the wire.
    const a = run('a', { a: peers['a']!, b: `127.0.0.1:${await freePort()}` }, { secret })
    const b = run('b', { b: peers['b']!, a: `127.0.0.1:${port}` }, { secret })
    await meet(a, b)
    b.send('a', pulse(1))
    await until(() => a.received.length === 1, 'the pulse')
    b.stop()
    await a.noticed('peer-disconnected')
    const before = a.notices.length
    expect(Buffer.concat(wire.recorded).length).toBeGreaterThan(500)
    const stranger = closing(await strangerAt(peers['a']!))
    stranger.write(...wire.recorded)
    await stranger.closed()
    await until(
      () => a.notices.slice(before).some(({ code }) => code === 'peer-refused'),
      'a refusal',
    )
    expect(a.received).toHaveLength(1)
    expect(a.notices.slice(before).map(({ code }) => code)).not.toContain('peer-connected')
  })

  it('a server that is passed on to itself, or to another, is refused in the handshake [F66]', async () => {
    const peers = await addresses('a', 'b', 'c')
    const refusals = (it: Station): number =>
      it.notices.filter((notice) => /the handshake was refused/.test(notice.message)).length
    const a = run('a', { a: peers['a']!, b: peers['a']! }, { secret, ...quick })
    await until(
      () => refusals(a) >= 4,
      'refusals by itself',
      () => a.notices,
    )
    a.stop()
    const nobody = `127.0.0.1:${await freePort()}`
    const c = run('c', { c: peers['c']!, a: nobody }, { secret, ...quick })
    const misled = run('a', { a: peers['a']!, b: peers['c']! }, { secret, ...quick })
    await until(() => refusals(misled) >= 2 && refusals(c) >= 2, 'refusals by another')
    expectNothing(a, c, misled)
  })

  it('a server with a certificate in place of the secret is not spoken to', async () => {
    const trusted = authority()
    const { cert, key } = trusted.issue(['raft://spec/b']) as { cert: string; key: string }
    const heard: Buffer[] = []
    const impostor = createServer({ cert, key, ALPNProtocols: ['rxraft/1'] }, (socket) => {
      socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    closing({ close: () => impostor.close() })
    await until(() => impostor.listening, 'the impostor')
    const { port } = impostor.address() as { port: number }
    const peers = { ...(await addresses('a')), b: `127.0.0.1:${port}` }
    const a = run('a', peers, { secret, ...quick })
    await until(
      () => a.notices.filter(({ code }) => code === 'peer-refused').length >= 3,
      'refusals',
    )
    expectNothing(a)
    expect(heard).toEqual([])
  })

  it('only TLS 1.3 and only this protocol are spoken [F68]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { secret, idleTimeout: 60_000 })
    await a.noticed('listening')
    const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'PSK+HIGH:ALL' } as const
    const psk = { pskCallback: () => ({ psk: randomBytes(32), identity: 'raft://spec/b' }) }
    const stranger = await tlsStranger(peers['a']!, { ...old, ...psk })
    await stranger.closed()
    await a.noticed('peer-refused', /UNSUPPORTED_PROTOCOL/)
    expectNothing(a)
  })
})

describe('with certificates', () => {
  const { ca, issue } = authority()
  const tls = (id: string): { tls: Certificates } => ({ tls: issue([`raft://spec/${id}`]) })

  /** A server `a`, and a stranger there who shows this certificate. */
  async function visit(
    certificates: Partial<Certificates>,
    more: ConnectionOptions = {},
  ): Promise<{ a: Station; stranger: Stranger }> {
    const peers = await addresses('a', 'b', 'c')
    const a = run('a', peers, { ...tls('a'), idleTimeout: 60_000 })
    await a.noticed('listening')
    const { cert, key } = certificates as { cert?: string; key?: string }
    const shown = cert === undefined || key === undefined ? {} : { cert, key }
    const stranger = await tlsStranger(peers['a']!, { ca, ...shown, ...more })
    return { a, stranger }
  }

  it('the right one is let in, as whom it names', async () => {
    const { a, stranger } = await visit(issue(['raft://spec/b']))
    stranger.say({ from: 'b' })
    await stranger.opened()
    stranger.send(pulse(1))
    await until(() => a.received.length === 1, 'the pulse')
    expect(a.received[0]).toEqual({ from: 'b', to: 'a', message: pulse(1) })
  })

  it('the one of another server is refused [F69]', async () => {
    const { a, stranger } = await visit(issue(['raft://spec/c']))
    stranger.say({ from: 'b' })
    expect(await stranger.refused()).toBe('it says that it is "b" and proves to be "c"')
    await a.noticed('peer-refused', /says that it is "b" and proves to be "c"/)
    expectNothing(a)
  })

  it.each<[string, readonly string[]]>([
    ['of another cluster [F67]', ['raft://other/b']],
    ['of nobody', []],
    ['of two', ['raft://spec/b', 'raft://spec/c']],
    ['with a name hidden in another', ['https://x, URI:raft://spec/b, DNS:y']],
  ])('one %s is refused', async (_, uris) => {
    const { a, stranger } = await visit(issue(uris))
    stranger.say({ from: 'b' })
    expect(await stranger.refused()).toMatch(/its certificate is of nobody here/)
    await stranger.closed()
    expectNothing(a)
  })

  it.each<[string, Partial<Certificates>]>([
    ['of another authority [F62]', authority('another').issue(['raft://spec/b'])],
    ['of an authority of the same name [F62]', authority().issue(['raft://spec/b'])],
    ['that has expired [F70]', issue(['raft://spec/b'], { from: -3, to: -1 })],
    ['that is not yet valid', issue(['raft://spec/b'], { from: 1, to: 3 })],
    ['that is missing [F62]', {}],
  ])('one %s is refused before a word is heard', async (_, certificates) => {
    const { a, stranger } = await visit(certificates)
    expect(await stranger.refused()).toMatch(/its certificate is refused: [A-Z_]+/)
    await stranger.closed()
    await a.noticed('peer-refused', /its certificate is refused/)
    expect(stranger.frames.map(({ type }) => type)).toEqual(['refuse'])
    expectNothing(a)
  })

  it('a session is never resumed: each connection shows its certificate [F71]', async () => {
    const { cert, key } = issue(['raft://spec/b']) as { cert: string; key: string }
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { ...tls('a'), idleTimeout: 60_000 })
    await a.noticed('listening')
    const first = await tlsStranger(peers['a']!, { ca, cert, key })
    const tickets = [(first.socket as TLSSocket).getSession()!]
    first.socket.on('session', (ticket: NonSharedBuffer) => tickets.push(ticket))
    first.say({ from: 'b' })
    await first.opened()
    first.send(pulse(1))
    await until(() => a.received.length === 1, 'the pulse')
    // A server that knew the ticket would ask for no certificate.
    const second = await tlsStranger(peers['a']!, { ca, session: tickets.at(-1)! })
    expect(await second.refused()).toMatch(/its certificate is refused/)
    await second.closed()
  })

  it.each<[string, ConnectionOptions]>([
    ['TLS 1.2 [F68]', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
    ['another protocol [F68]', { ALPNProtocols: ['h2'] }],
  ])('%s is refused in the handshake', async (_, options) => {
    const { a, stranger } = await visit(issue(['raft://spec/b']), options)
    await stranger.closed()
    await a.noticed('peer-refused', /the handshake was refused/)
    expectNothing(a)
  })

  it('no protocol is refused after the handshake [F68]', async () => {
    const { cert, key } = issue(['raft://spec/b']) as { cert: string; key: string }
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { ...tls('a') })
    await a.noticed('listening')
    const socket = connect({
      port: portOf(peers['a']!),
      host: '127.0.0.1',
      ca,
      cert,
      key,
      rejectUnauthorized: false,
    })
    const stranger = closing(new Stranger(socket))
    stranger.say({})
    expect(await stranger.refused()).toMatch(/does not speak rxraft\/1/)
    expectNothing(a)
  })

  it('a plaintext client is refused [F62] [F68]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { ...tls('a') })
    await a.noticed('listening')
    const stranger = closing(await strangerAt(peers['a']!))
    stranger.say({})
    await stranger.closed()
    await a.noticed('peer-refused', /the handshake was refused/)
    expect(stranger.frames.filter(({ type }) => type === 'welcome')).toEqual([])
    expectNothing(a)
  })

  it('a client that never speaks TLS runs out of time [F56]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { ...tls('a'), helloTimeout: 150 })
    await a.noticed('listening')
    const stranger = closing(await strangerAt(peers['a']!))
    await stranger.closed()
    await a.noticed('peer-refused', /HANDSHAKE_TIMEOUT/)
  })

  it('a client that completes TLS and says nothing runs out of time [F56]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { ...tls('a'), helloTimeout: 150 })
    await a.noticed('listening')
    const { cert, key } = issue(['raft://spec/b']) as { cert: string; key: string }
    const stranger = await tlsStranger(peers['a']!, { ca, cert, key })
    await stranger.closed()
    await a.noticed('peer-refused', /no handshake within 150 ms/)
    expectNothing(a)
  })

  it('the dialled server, too, must be whom its certificate names [F69]', async () => {
    const peers = await addresses('a', 'b', 'c')
    const c = run('c', { c: peers['c']! }, tls('c'))
    const a = run('a', { a: peers['a']!, b: peers['c']! }, { ...tls('a'), ...quick })
    await a.noticed('peer-refused', /its certificate is of c, not of b/)
    expectNothing(a, c)
  })

  it('servers of different authorities refuse each other, and go on trying [F62]', async () => {
    const peers = await addresses('a', 'b')
    const other = authority().issue(['raft://spec/b'])
    const [a, b] = [
      run('a', peers, { ...tls('a'), ...quick }),
      run('b', peers, { tls: other, ...quick }),
    ]
    const refusals = (it: Station): number =>
      it.notices.filter(({ code }) => code === 'peer-refused').length
    await until(() => refusals(a) >= 3 && refusals(b) >= 3, 'refusals')
    expectNothing(a, b)
    b.stop()
    await meet(a, run('b', peers, { ...tls('b'), ...quick }))
  })

  it('PEM may be bytes', async () => {
    const peers = await addresses('a', 'b')
    const bytes = (id: string): { tls: Certificates } => {
      const { ca, cert, key } = tls(id).tls
      const [x, y, z] = [ca, cert, key].map((it) => Uint8Array.from(Buffer.from(it as string)))
      return { tls: { ca: x!, cert: y!, key: z! } }
    }
    await meet(run('a', peers, bytes('a')), run('b', peers, bytes('b')))
  })
})

it('names of any characters are proved and spoken', async () => {
  const { issue } = authority()
  const [x, y] = ['älter, "b"/1', 'c 2%']
  const at = await addresses('x', 'y')
  const peers = { [x]: at['x']!, [y]: at['y']! }
  const both = (more: (id: string) => Partial<TcpOptions>): [Station, Station] => {
    const make = (id: string): Station =>
      start(id, tcp({ id, cluster: 'ö/ü', listen: peers[id]!, peers, ...more(id) }))
    return [make(x), make(y)]
  }
  const uri = (id: string): string =>
    `raft://${encodeURIComponent('ö/ü')}/${encodeURIComponent(id)}`
  for (const more of [() => ({ secret }), (id: string) => ({ tls: issue([uri(id)]) })]) {
    const stations = both(more)
    await meet(...stations)
    for (const station of stations) station.stop()
  }
})
