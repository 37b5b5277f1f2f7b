import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { clientsOf } from '../../../adapters/client/codes.ts'
import { Refused } from '../../../adapters/client/errors.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { authority } from '../transport/certificates.ts'
import { tlsStrangerAt } from '../transport/stranger.ts'
import { clientOf, HELLO, Sites } from './bench.ts'

const secret = 'a secret that is long enough'

describe('a shared secret', () => {
  it('lets in whoever has it', async () => {
    const client = (await Sites.open('abc', { secret })).client({ secret })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
  })

  it.each([
    ['another secret', { secret: 'another that is long enough' }],
    ['another cluster', { secret, cluster: 'bank' }],
  ])('refuses %s, and says so at once', async (_, options) => {
    const client = (await Sites.open('abc', { secret })).client(options)
    const refused = expect(firstValueFrom(client.propose(1))).rejects
    await refused.toBeInstanceOf(Refused)
    await refused.toMatchObject({ outcome: 'none', retryable: false })
    await expect(firstValueFrom(client.query('count'))).rejects.toBeInstanceOf(Refused)
    await expect(firstValueFrom(client.commits(1))).rejects.toBeInstanceOf(Refused)
  })

  it('is missed where there is none: nothing that a client can read comes back', async () => {
    const sites = await Sites.open('a', { secret })
    const client = sites.client({ timeout: 200 })
    await expect(firstValueFrom(client.propose(1))).rejects.toMatchObject({
      ...{ code: 'unreachable', outcome: 'none' },
      message: expect.stringContaining('closed the connection') as string,
    })
  })

  it('of the clients is none of the peers', () => {
    expect(clientsOf('shop')).not.toBe('shop')
  })

  it('is asked for beyond this machine', () => {
    expect(() => clientOf({ servers: ['10.0.0.1:9001'] })).toThrow(ConfigError)
    expect(() => clientOf({ servers: [] })).toThrow('servers is []: it should be addresses')
  })
})

describe('certificates', () => {
  const { issue } = authority()
  const open = (ids: string) => Sites.open(ids, (id) => ({ tls: issue([`raft://shop/${id}`]) }))
  const alice = issue(['raft://shop%2Fclients/alice'])

  it('let in whoever shows one of a client', async () => {
    const client = (await open('abc')).client({ tls: alice })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
  })

  it.each([
    ['a server', issue(['raft://shop/a'])],
    ['another cluster', issue(['raft://bank%2Fclients/alice'])],
    ['two at a time', issue(['raft://shop%2Fclients/alice', 'raft://shop%2Fclients/bob'])],
  ])('of %s are none of a client', (_, tls) => {
    const wrong = () => clientOf({ servers: ['127.0.0.1:1'], tls })
    expect(wrong).toThrow(ConfigError)
    expect(wrong).toThrow('tls.cert is "a certificate of no client"')
  })

  it('of a client are none of a server', async () => {
    await expect(Sites.open('a', { tls: alice })).rejects.toMatchObject({ option: 'tls.cert' })
  })

  it('of a stranger are refused by the servers, and theirs by the stranger', async () => {
    const sites = await open('abc')
    const own = authority()
    for (const ca of [own.ca, alice.ca]) {
      const client = sites.client({ tls: { ...own.issue(['raft://shop%2Fclients/alice']), ca } })
      await expect(firstValueFrom(client.propose(1))).rejects.toBeInstanceOf(Refused)
    }
    const said = sites.all.flatMap(({ notices }) => notices.map(({ message }) => message))
    expect(said).toContainEqual(expect.stringContaining('its certificate is refused'))
  })

  it.each([
    ['no certificate', {}, /its certificate is refused/],
    [
      'one of a server',
      issue(['raft://shop/a']),
      /its certificate is of nobody here, not of a client of this cluster/,
    ],
  ])(
    'a guest with %s hears why it is not let in',
    async (_, { cert, key }: Partial<typeof alice>, said) => {
      const [site] = (await open('a')).all
      const stranger = await tlsStrangerAt(site!.address, {
        ...(cert && { cert: String(cert), key: String(key) }),
      })
      stranger.say(HELLO)
      expect(await stranger.refused()).toMatch(said)
    },
  )

  it('say who a client is: another name than its own is refused', async () => {
    const [site] = (await open('a')).all
    const { cert, key } = alice as { readonly cert: string; readonly key: string }
    const stranger = await tlsStrangerAt(site!.address, { cert, key })
    stranger.say({ ...HELLO, from: 'bob' })
    expect(await stranger.refused()).toBe('it says that it is "bob" and proves to be "alice"')
  })
})

it('in plain text, a client of another cluster is refused by name', async () => {
  const client = (await Sites.open('a')).client({ cluster: 'bank' })
  await expect(firstValueFrom(client.propose(1))).rejects.toThrow(
    'it asks for \\"bank/clients\\", and this is \\"shop/clients\\"',
  )
})
