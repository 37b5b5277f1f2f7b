import { of, Subject, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { pull } from '../../operators/pull.ts'

/** Reads a source, with what its reader heard. */
function reading<T>(source: Parameters<typeof pull<T>>[0], buffer = 10) {
  const heard: string[] = []
  const values = pull(source, buffer, {
    wake: () => heard.push('wake'),
    end: () => heard.push('end'),
    fail: (error) => heard.push(`fail ${String(error)}`),
  })
  const take = (): unknown => values.take()?.value
  return { values, heard, take }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('pull from an iterable', () => {
  it('takes value by value, and ends after the last', () => {
    const { values, heard, take } = reading(new Set(['x', 'y']))
    expect(take()).toBeUndefined()
    values.start()
    expect([take(), take()]).toEqual(['x', 'y'])
    expect(heard).toEqual(['wake'])
    expect(take()).toBeUndefined()
    expect(heard).toEqual(['wake', 'end'])
  })

  it('returns the iterator when it is stopped', () => {
    let isReturned = false
    function* numbers() {
      try {
        yield 1
        yield 2
      } finally {
        isReturned = true
      }
    }
    const { values, take } = reading(numbers())
    values.start()
    take()
    values.stop()
    expect(isReturned).toBe(true)
    expect(take()).toBeUndefined()
  })

  it('fails when the iterator throws', () => {
    // eslint-disable-next-line require-yield
    function* broken() {
      throw new Error('broken')
    }
    const { values, heard, take } = reading(broken())
    values.start()
    expect(take()).toBeUndefined()
    expect(heard).toEqual(['wake', 'fail Error: broken'])
  })

  it('reads a string letter by letter, as RxJS does', () => {
    const { values, take } = reading('xy')
    values.start()
    expect([take(), take()]).toEqual(['x', 'y'])
  })
})

describe('pull from an asynchronous iterable', () => {
  it('asks one value ahead and no further', async () => {
    let asked = 0
    // eslint-disable-next-line @typescript-eslint/require-await
    async function* numbers() {
      for (;;) yield ++asked
    }
    const { values, heard, take } = reading(numbers())
    values.start()
    await turn()
    expect(asked).toBe(1)
    expect(take()).toBe(1)
    expect(take()).toBeUndefined()
    await turn()
    await turn()
    expect(asked).toBe(2)
    expect(heard).toEqual(['wake', 'wake'])
  })

  it('ends, fails and is stopped', async () => {
    const stopped: string[] = []
    // eslint-disable-next-line @typescript-eslint/require-await
    async function* numbers(fails: boolean) {
      try {
        yield 1
        if (fails) throw new Error('broken')
      } finally {
        stopped.push('stopped')
      }
    }
    const whole = reading(numbers(false))
    whole.values.start()
    await turn()
    expect(whole.take()).toBe(1)
    await turn()
    expect(whole.heard).toEqual(['wake', 'end'])

    const broken = reading(numbers(true))
    broken.values.start()
    await turn()
    broken.take()
    await turn()
    expect(broken.heard).toEqual(['wake', 'fail Error: broken'])

    const left = reading(numbers(false))
    left.values.start()
    await turn()
    left.values.stop()
    await turn()
    expect(stopped).toHaveLength(3)
  })

  it('reads a Web stream', async () => {
    const { values, take } = reading(new Blob(['xy']).stream())
    values.start()
    await expect.poll(take).toEqual(new TextEncoder().encode('xy'))
    values.stop()
  })
})

describe('pull from what pushes', () => {
  it('queues what comes, and ends when the queue is empty', () => {
    const input$ = new Subject<string>()
    const { values, heard, take } = reading(input$)
    values.start()
    input$.next('x')
    input$.next('y')
    input$.complete()
    expect(heard).toEqual(['wake', 'wake'])
    expect([take(), take()]).toEqual(['x', 'y'])
    expect(heard).toEqual(['wake', 'wake', 'end'])
  })

  it('fails beyond its buffer', () => {
    const { values, heard } = reading(of(1, 2, 3), 2)
    values.start()
    expect(heard).toEqual(['wake', 'wake', 'fail Overloaded: 2 values wait already'])
  })

  it('fails with its source', () => {
    const { values, heard } = reading(throwError(() => new Error('broken')))
    values.start()
    expect(heard).toEqual(['fail Error: broken'])
  })

  it('lets go of its source when it is stopped', () => {
    const input$ = new Subject<string>()
    const { values } = reading(input$)
    values.start()
    expect(input$.observed).toBe(true)
    values.stop()
    expect(input$.observed).toBe(false)
  })

  it('reads a promise and an array-like', async () => {
    const promised = reading(Promise.resolve('x'))
    promised.values.start()
    await turn()
    expect(promised.take()).toBe('x')
    expect(promised.heard).toEqual(['wake', 'end'])

    const arrayLike = reading({ length: 2, 0: 'x', 1: 'y' })
    arrayLike.values.start()
    expect([arrayLike.take(), arrayLike.take()]).toEqual(['x', 'y'])
    expect(arrayLike.heard).toEqual(['wake', 'wake', 'end'])
  })
})
