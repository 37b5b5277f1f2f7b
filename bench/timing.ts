/** How often `work` can be done in a second, by doing it over and over for so many seconds. */
export function perSecond(work: () => void, seconds: number): number {
  const began = performance.now()
  const end = began + seconds * 1000
  let count = 0
  for (let together = 1; ; together = Math.min(together * 2, 1024)) {
    for (let i = 0; i < together; i++) work()
    count += together
    const now = performance.now()
    if (now >= end) return (count * 1000) / (now - began)
  }
}

/** Bytes on the heap that `work` takes, by its median over many times: in some the collector has taken them back. */
export function allocated(work: () => void, times: number): number {
  const taken: number[] = []
  for (let i = 0; i < times; i++) {
    const before = process.memoryUsage().heapUsed
    work()
    taken.push(process.memoryUsage().heapUsed - before)
  }
  return taken.sort((a, b) => a - b)[times >> 1]!
}
