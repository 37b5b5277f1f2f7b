/** Rings once when the deadline that was set last has passed: one timer, armed again only when it must ring earlier. */
export class Alarm {
  #due: number | undefined
  #armed: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly ring: (at: number) => void) {}

  /** In ms of the monotonic clock; `undefined` sets none. */
  set(due: number | undefined): void {
    this.#due = due
    if (due !== undefined && (this.#armed === undefined || due < this.#armed)) this.#arm(due)
  }

  #arm(at: number): void {
    clearTimeout(this.#timer)
    this.#armed = at
    this.#timer = setTimeout(this.#wake, Math.max(0, Math.ceil(at - performance.now())))
  }

  readonly #wake = (): void => {
    const now = performance.now()
    const due = this.#due
    this.#armed = undefined
    if (due === undefined) return
    if (now < due) return this.#arm(due)
    this.#due = undefined
    this.ring(now)
  }
}
