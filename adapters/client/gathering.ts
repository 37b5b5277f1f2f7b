/** Does something with everything else that comes in this round of the event loop. */
export type Gather = (work: () => void) => void

/**
 * What many connections bring in one round of the event loop is worked through at its end, at once: the node makes one
 * batch of it, where each socket by itself would be one.
 */
export function gathering(): Gather {
  let waiting: (() => void)[] = []
  const run = (): void => {
    const all = waiting
    waiting = []
    for (const work of all) work()
  }
  return (work) => {
    if (waiting.push(work) === 1) setImmediate(run)
  }
}
