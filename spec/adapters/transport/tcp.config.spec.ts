import { lookup } from 'node:dns/promises'
import { describe, expect, it } from 'vitest'
import { isLoopback, parseAddress } from '../../../adapters/transport/tcp/address.ts'
import { idIn } from '../../../adapters/transport/tcp/certificates.ts'
import { idOf, identityUri } from '../../../adapters/transport/tcp/identity.ts'
import { ListenError, tcp, type TcpOptions } from '../../../adapters/transport/tcp.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { bench } from './bench.ts'
import { authority } from './certificates.ts'
import { freePort } from '../../../bench/harness/ports.ts'
import { meet, until } from './station.ts'

const right: TcpOptions = {
  id: 'a',
  cluster: 'spec',
  listen: '127.0.0.1:7000',
  peers: { a: '127.0.0.1:7000', b: '127.0.0.1:7001' },
}

function refusal(options: object): ConfigError {
  try {
    tcp({ ...right, ...options })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(options)}`)
}

describe('an option that cannot be', () => {
  const text256 = 'x'.repeat(256)
  it.each<[string, object]>([
    ['id', { id: '' }],
    ['id', { id: 7 }],
    ['id', { id: text256 }],
    ['id', { id: '\ud800' }],
    ['id', { id: 'x'.repeat(240) }],
    ['cluster', { cluster: '' }],
    ['cluster', { cluster: undefined }],
    ['incarnation', { incarnation: '' }],
    ['incarnation', { incarnation: text256 }],
    ['listen', { listen: undefined }],
    ['listen', { listen: 7000 }],
    ['listen', { listen: '7000' }],
    ['listen', { listen: ':7000' }],
    ['listen', { listen: '127.0.0.1' }],
    ['listen', { listen: '127.0.0.1:65536' }],
    ['listen', { listen: '127.0.0.1:-1' }],
    ['listen', { listen: '127.0.0.1:7e3' }],
    ['listen', { listen: '::1:7000' }],
    ['listen', { listen: '[127.0.0.1]:7000' }],
    ['listen', { listen: '[::1' }],
    ['peers', { peers: undefined }],
    ['peers', { peers: ['127.0.0.1:7001'] }],
    ['peers', { peers: { '': '127.0.0.1:7001' } }],
    ['peers.b', { peers: { b: '127.0.0.1:0' } }],
    ['peers.b', { peers: { b: 'nowhere' } }],
    ['secret', { secret: 'fifteen bytes !' }],
    ['secret', { secret: new Uint8Array(15) }],
    ['secret', { secret: 7 }],
    ['tls.key', { tls: { ca: '', cert: '' } }],
    ['insecureTrustNetwork', { insecureTrustNetwork: 'yes' }],
    ['maxFrameBytes', { maxFrameBytes: 65_535 }],
    ['maxFrameBytes', { maxFrameBytes: 2 ** 30 + 1 }],
    ['maxFrameBytes', { maxFrameBytes: NaN }],
    ['maxQueueBytes', { maxQueueBytes: 1 }],
    ['connectTimeout', { connectTimeout: 0 }],
    ['helloTimeout', { helloTimeout: 9 }],
    ['idleTimeout', { idleTimeout: Infinity }],
    ['idleTimeout', { idleTimeout: 1.5 }],
    ['backoff', { backoff: [0, 5] }],
    ['backoff', { backoff: [5, 4] }],
    ['backoff', { backoff: [5] }],
    ['backoff', { backoff: 5 }],
    ['backoff', { backoff: [5, NaN] }],
    ['strangers', { strangers: 'avoid' }],
    ['random', { random: 4 }],
    ['scheduler', { scheduler: {} }],
  ])('%s is named, with what it is and what would be right: %j', (option, options) => {
    const error = refusal(options)
    expect(error.option).toBe(option)
    expect(error.message).toMatch(/ is .* it should be ./)
  })

  it('is not an option that is left out, or at its limits', () => {
    tcp(right)
    tcp({ ...right, peers: {}, strangers: 'refuse' })
    tcp({ ...right, listen: '[::1]:0', secret: new Uint8Array(16), backoff: [1, 1] })
    tcp({ ...right, maxFrameBytes: 65_536, maxQueueBytes: 2 ** 30, helloTimeout: 10 })
  })

  it('never shows a secret', () => {
    expect(refusal({ secret: 'hunter2' }).message).not.toMatch(/hunter2/)
    const tls = authority().issue(['raft://spec/a'])
    const mixed = { ...tls, key: authority().issue(['raft://spec/a']).key }
    expect(refusal({ tls: mixed }).message).toMatch(/unusable/)
    expect(refusal({ tls: mixed }).message).not.toMatch(/PRIVATE/)
    expect(refusal({ tls, secret: 'x'.repeat(32) }).option).toBe('secret')
  })

  it('is a certificate of somebody else [F69]', () => {
    const { issue } = authority()
    for (const uris of [
      [],
      ['raft://spec/b'],
      ['raft://other/a'],
      ['raft://spec/a', 'raft://spec/b'],
      ['https://spec/a'],
    ]) {
      expect(refusal({ tls: issue(uris) }).option).toBe('tls.cert')
    }
    tcp({ ...right, tls: issue(['https://spec/b', 'raft://spec/a']) })
  })
})

describe('an address beyond this machine', () => {
  const far = ['0.0.0.0:7000', '[::]:7000', '10.0.0.1:7000', 'example.org:7000', '128.0.0.1:7000']

  it.each(far)('%s is refused without credentials [F62]', (address) => {
    expect(refusal({ listen: address }).option).toBe('listen')
    expect(refusal({ peers: { b: address } }).option).toBe('peers')
    expect(refusal({ listen: address }).expected).toMatch(/secret.*tls.*insecureTrustNetwork/s)
  })

  it.each(far)('%s is accepted with credentials, or in so many words', (address) => {
    const there = { ...right, listen: address, peers: { b: address } }
    tcp({ ...there, secret: 'x'.repeat(16) })
    tcp({ ...there, tls: authority().issue(['raft://spec/a']) })
    tcp({ ...there, insecureTrustNetwork: true })
  })

  it.each([
    '127.0.0.1:1',
    '127.255.3.4:1',
    'localhost:1',
    'LocalHost:1',
    '[::1]:1',
    '[0:0:0:0:0:0:0:1]:1',
  ])('%s is not one', (address) =>
    expect(isLoopback(parseAddress('listen', address, 0))).toBe(true),
  )
})

describe('a name in a URI', () => {
  it('has one spelling', () => {
    for (const name of ['a', 'a/b', 'é', '%41', 'a b', '..']) {
      expect(idOf(identityUri('spec', name), 'spec')).toBe(name)
    }
    for (const uri of [
      'raft://spec/%61',
      'raft://spec/a/b',
      'raft://spec/',
      'raft://spec/%',
      'x',
    ]) {
      expect(idOf(uri, 'spec')).toBeUndefined()
    }
    expect(idOf('raft://spec/a', 'other')).toBeUndefined()
  })

  it('cannot hide in another name of the certificate [F69]', () => {
    expect(idIn('DNS:b.example, URI:raft://spec/b', 'spec')).toBe('b')
    expect(idIn('DNS:"x, URI:raft://spec/b, y"', 'spec')).toBeUndefined()
    expect(idIn('URI:raft://spec/b, URI:raft://spec/c', 'spec')).toBeUndefined()
    expect(idIn(undefined, 'spec')).toBeUndefined()
  })
})

describe('listening', () => {
  const { addresses, run } = bench()

  it('on an address that is taken errors, with the address and the cause', async () => {
    const peers = await addresses('a')
    const first = run('a', peers)
    await first.noticed('listening')
    const second = run('a', peers)
    await until(() => second.error !== undefined, 'an error')
    expect(second.error).toBeInstanceOf(ListenError)
    expect(second.error).toMatchObject({
      code: 'listen',
      address: peers['a'],
      cause: { code: 'EADDRINUSE' },
    })
  })

  it('works on IPv6', async () => {
    const found = Object.entries(await addresses('a', 'b'))
    const peers = Object.fromEntries(
      found.map(([id, at]) => [id, at.replace('127.0.0.1', '[::1]')]),
    )
    await meet(run('a', peers), run('b', peers))
  })

  it('at a name ends with the subscription, also before the name is looked up', async () => {
    const port = await freePort()
    const address = `localhost:${port}`
    for (let i = 0; i < 5; i++) run('a', { a: address }).stop()
    await lookup('localhost')
    const a = run('a', { a: address })
    await a.noticed('listening')
    expect(a.error).toBeUndefined()
  })

  it('on port 0 takes a free one and says which', async () => {
    const { message } = await run('a', { a: '127.0.0.1:1' }, { listen: '127.0.0.1:0' }).noticed(
      'listening',
    )
    expect(message).toMatch(/127\.0\.0\.1:[1-9]/)
  })
})
