/** What runs in the browser: it uses the store, and tells the test how far it is. */
import { firstValueFrom } from 'rxjs'
import { connect, type Change } from 'rxraft/kv'

/** What the test has a page do. */
export interface Told {
  readonly servers: readonly string[]
  readonly secret: string
}

/** What a page says, and the last that it says of a kind is what holds. */
export interface Said {
  readonly written?: number
  readonly keys?: readonly string[]
  readonly value?: string
  readonly error?: { readonly code: string; readonly message: string }
}

/** What the test answers: whether to go on, and where. */
export interface Answer {
  readonly isEnough: boolean
  readonly next?: string
}

declare const location: { href: string }

async function say(said: Said): Promise<Answer> {
  const response = await fetch('/said', { method: 'POST', body: JSON.stringify(said) })
  return (await response.json()) as Answer
}

/** Puts one key after the other until it is enough, and watches what becomes of them. */
async function use({ servers, secret }: Told): Promise<Said> {
  const store = connect({ servers, secret, timeout: 20_000 })
  const changes: Change[] = []
  store.watch('', 1).subscribe((change) => changes.push(change))
  let written = 0
  for (let isEnough = false; !isEnough; written++) {
    await firstValueFrom(store.put(`key-${written}`, `value ${written}`))
    if (written % 10 === 0) ({ isEnough } = await say({ written }))
  }
  const large = 'x'.repeat(300_000)
  await firstValueFrom(store.put('large', large))
  const item = await firstValueFrom(store.get('large'))
  while (changes.length <= written) await new Promise((resolve) => setTimeout(resolve, 5))
  store.close()
  const value = new TextDecoder().decode(item?.value)
  return { written, keys: changes.map(({ key }) => key), value: value === large ? 'as it was' : '' }
}

const told = (await (await fetch('/told')).json()) as Told
const said = await use(told).catch(
  ({ code, message }: { readonly code: string; readonly message: string }): Said => ({
    error: { code, message },
  }),
)
const { next } = await say(said)
if (next !== undefined) location.href = next
