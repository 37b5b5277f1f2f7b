let end: Promise<void> | undefined

/**
 * The end of this round of the event loop, the same for all who wait for it: what many connections brought in one round
 * reaches the node together, and it makes one batch of it, where each request by itself would be one.
 */
export const roundEnd = (): Promise<void> =>
  (end ??= new Promise((resolve) => {
    setImmediate(() => {
      end = undefined
      resolve()
    })
  }))
