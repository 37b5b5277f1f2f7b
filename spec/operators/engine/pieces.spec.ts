import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { structured } from '../../../operators/codec.ts'
import { Cutter, Joiner, type Pieces } from '../../../operators/engine/pieces.ts'

interface Chunk {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

const CHUNK = 256 * 1024

const nextOf = async (cutter: Cutter): Promise<Chunk> =>
  await new Promise((resolve, reject) =>
    cutter.next((bytes, isLast) => resolve({ bytes: bytes.slice(), isLast }), reject),
  )

/** Every chunk, asked for one after the other. */
async function cut(pieces: Pieces): Promise<readonly Chunk[]> {
  const cutter = new Cutter(pieces)
  const chunks: Chunk[] = []
  do chunks.push(await nextOf(cutter))
  while (!chunks.at(-1)!.isLast)
  return chunks
}

function whole(chunks: readonly Chunk[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks.map(({ bytes }) => bytes)))
}

/** The pieces of these bytes, which come in parts that end at the given places. */
function join(bytes: Uint8Array, places: readonly number[]): unknown[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length]
  const joiner = new Joiner()
  let start = 0
  return ends
    .sort((a, b) => a - b)
    .flatMap((end) => {
      const pieces = joiner.take(bytes.slice(start, end))
      start = end
      return pieces
    })
}

async function* later(pieces: readonly unknown[]) {
  for (const piece of pieces) yield await Promise.resolve(piece)
}

/** Everything that structured clone knows and people put into a state. */
const leaf = fc.oneof(
  ...[fc.string(), fc.double({ noNaN: true }).map((it) => (it === 0 ? 0 : it)), fc.integer()],
  ...[fc.boolean(), fc.constant(null), fc.constant(undefined)],
  fc.date({ noInvalidDate: true }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.uint8Array({ maxLength: 30 }),
)
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 3 }).map((all) => new Map(all)),
    fc.array(leaf, { maxLength: 3 }).map((all) => new Set(all)),
  ),
})).value

const plain = (some: unknown): unknown => (some instanceof Uint8Array ? [...some] : some)

describe('the pieces of a state', () => {
  it('come back as they were, wherever their bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 9 }),
        fc.boolean(),
        async (pieces, places, isAsync) => {
          const bytes = whole(await cut(isAsync ? later(pieces) : pieces))
          expect(join(bytes, places).map(plain)).toEqual(pieces.map(plain))
        },
      ),
      { numRuns: 200 },
    )
  })

  it.each([
    ['maps', new Map([['a', new Map([[1, undefined]])]])],
    ['sets', new Set(['a', 1])],
    ['dates', new Date(86_400_000)],
    ['nothing', undefined],
    ['what is undefined in an object', { a: undefined, b: null }],
    ['objects with numbers for keys', { 1: 'a', 2: 'b' }],
  ])('may be %s', async (_, piece) => {
    expect(join(whole(await cut([piece])), [])).toEqual([piece])
  })

  it('come back byte by byte, too', async () => {
    const pieces = ['one', { two: [2] }, new Map([[3, 'three']])]
    const bytes = whole(await cut(pieces))
    const joiner = new Joiner()
    expect([...bytes].flatMap((byte) => joiner.take(Uint8Array.of(byte)))).toEqual(pieces)
  })

  it.each([
    ['bytes', Uint8Array.of(1, 2, 3)],
    ['a buffer', Buffer.of(1, 2, 3)],
  ])('do not hold on to the chunk that they came in, nor change with it: %s', async (_, given) => {
    const bytes = whole(await cut([given, 'x'.repeat(100_000)]))
    const [piece] = new Joiner().take(bytes) as [Uint8Array]
    bytes.fill(0)
    expect([...piece]).toEqual([1, 2, 3])
    expect(piece.buffer.byteLength).toBeLessThan(100_000)
  })
})

describe('chunks', () => {
  it('are full, but for the last, which says so', async () => {
    const pieces = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(10_000, 'x'))
    const chunks = await cut(pieces)
    expect(chunks.length).toBeGreaterThan(3)
    for (const { bytes, isLast } of chunks.slice(0, -1)) {
      expect([bytes.length, isLast]).toEqual([CHUNK, false])
    }
    expect(chunks.at(-1)!.bytes.length).toBeLessThanOrEqual(CHUNK)
    expect(join(whole(chunks), [])).toEqual(pieces)
  })

  it('share a piece that is longer than they are', async () => {
    const pieces = ['before', 'x'.repeat(3 * CHUNK), 'after']
    const chunks = await cut(pieces)
    expect(chunks.map(({ isLast }) => isLast)).toEqual([false, false, false, true])
    expect(join(whole(chunks), [CHUNK, 2 * CHUNK, 3 * CHUNK])).toEqual(pieces)
  })

  it.each([
    ['at once', [] as Pieces],
    ['later', later([])],
  ])('of no piece at all are one, which is empty: %s', async (_, pieces) => {
    expect(await cut(pieces)).toEqual([{ bytes: new Uint8Array(), isLast: true }])
    expect(join(new Uint8Array(), [])).toEqual([])
  })

  it.each([-1, 0, 1])('end well when the pieces fill them, give or take %d bytes', async (more) => {
    const [{ bytes }] = (await cut(['x'.repeat(100_000)])) as [Chunk]
    const pieces = ['x'.repeat(100_000 + CHUNK - bytes.length + more)]
    const chunks = await cut(pieces)
    expect(whole(chunks).length).toBe(CHUNK + more)
    expect(chunks.map((chunk) => chunk.isLast)).toEqual(more > 0 ? [false, true] : [true])
    expect(join(whole(chunks), [CHUNK])).toEqual(pieces)
  })

  it('are made one at a time: the machine is asked for no more pieces than fill one', async () => {
    let given = 0
    const cutter = new Cutter(
      (function* () {
        for (; given < 1000; given++) yield 'x'.repeat(10_000)
      })(),
    )
    await nextOf(cutter)
    expect(given).toBeLessThan(30)
    await nextOf(cutter)
    expect(given).toBeLessThan(60)
  })

  it('lie in the same memory, however many they are', async () => {
    const cutter = new Cutter(Array.from({ length: 1000 }, () => 'x'.repeat(10_000)))
    const memory = new Set<ArrayBufferLike>()
    for (let isLast = false; !isLast;) {
      await new Promise<void>((done, fail) =>
        cutter.next((bytes, last) => {
          memory.add(bytes.buffer)
          isLast = last
          done()
        }, fail),
      )
    }
    // It grows to what it needs, by half or more each time.
    const sizes = [...memory].map(({ byteLength }) => byteLength)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * CHUNK)
    expect(sizes.length).toBeLessThan(10)
  })

  it('have nothing to do with what a machine encodes while it gives its pieces', async () => {
    const inner = structured()
    function* pieces() {
      for (let i = 0; i < 100; i++) yield inner.encode(`${i}`.padEnd(5000, 'x'))
    }
    const found = join(whole(await cut(pieces())), []) as Uint8Array[]
    expect(found.map((bytes) => inner.decode(bytes))).toEqual(
      found.map((_, i) => `${i}`.padEnd(5000, 'x')),
    )
    expect(found).toHaveLength(100)
  })

  it('of a machine that gives its pieces later are made in about the time that they take', async () => {
    let asked = 0
    const pieces = {
      [Symbol.asyncIterator]: () => ({
        next: async () => await Promise.resolve({ done: asked++ > 20_000, value: 1 }),
      }),
    }
    const chunks = await cut(pieces)
    expect(join(whole(chunks), [])).toHaveLength(20_001)
  })
})

describe('a snapshot that is given up', () => {
  it.each([
    ['at once', false],
    ['later', true],
  ])('lets the machine end its iterator, which gives %s', async (_, isLate) => {
    let isEnded = false
    const end = (): void => void (isEnded = true)
    function* sync() {
      try {
        for (;;) yield 'x'.repeat(10_000)
      } finally {
        end()
      }
    }
    async function* late() {
      try {
        for (;;) yield await Promise.resolve('x'.repeat(10_000))
      } finally {
        end()
      }
    }
    const cutter = new Cutter(isLate ? late() : sync())
    await nextOf(cutter)
    expect(isEnded).toBe(false)
    cutter.close()
    cutter.close()
    await Promise.resolve()
    expect(isEnded).toBe(true)
  })

  it('does not end an iterator that has ended by itself', async () => {
    let ended = 0
    const pieces = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: true, value: undefined }),
        return: () => {
          ended++
          return { done: true, value: undefined }
        },
      }),
    }
    const cutter = new Cutter(pieces as Iterable<unknown>)
    await nextOf(cutter)
    cutter.close()
    expect(ended).toBe(0)
  })
})
