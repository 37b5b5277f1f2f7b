import { firstValueFrom } from 'rxjs'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ASK_HEAD_BYTES } from '../../../adapters/client/codes.ts'
import { frame, HEADER_BYTES, writeHeader } from '../../../adapters/transport/tcp/frame.ts'
import { eventually, HELLO, Sites, strangerAt } from './bench.ts'

describe('what is no frame of a client ends its connection, and nobody else’s', () => {
  it.each([
    ['bytes that are no frame', () => new Uint8Array(64), 'version 0 is unknown'],
    ['a frame out of place', () => frame('open'), 'a frame of type open on a client'],
    ['a message without a session', () => frame('message'), 'a head of 0 bytes'],
    ['an item of an unknown kind', () => message([9, 1, 0, 0, 0]), 'nothing is asked by 9'],
    ['an item that is cut off', () => message([2, 1, 0]), 'an item is cut off'],
    [
      'a command without a name',
      () => message([2, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      'a command without a name in its session',
    ],
  ])('%s', async (_, bytes, said) => {
    const sites = await Sites.open('a')
    const [site] = sites.all
    const client = sites.client()
    await firstValueFrom(client.propose(1))
    const stranger = strangerAt(site!)
    stranger.say(HELLO)
    await eventually(() => stranger.frames[0])
    stranger.write(bytes())
    await eventually(() => stranger.isClosed || undefined)
    expect(site!.notices.map(({ message }) => message)).toContainEqual(
      expect.stringContaining(said),
    )
    expect(await firstValueFrom(client.propose(1))).toMatchObject({ result: 'counted to 2' })
  })
})

/** A frame with these items, of no session. */
function message(items: readonly number[]): Uint8Array {
  const end = HEADER_BYTES + ASK_HEAD_BYTES
  const bytes = Uint8Array.from([...new Uint8Array(end), ...items])
  writeHeader(bytes, 0, end, 'message', items.length, crc32(Uint8Array.from(items)))
  return bytes
}
