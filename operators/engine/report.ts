import { of } from 'rxjs'

/** Reports what a user's callback threw, the way RxJS reports what a subscriber throws. */
export function report(thrown: unknown): void {
  of(thrown).subscribe((error) => {
    throw error
  })
}

/** Runs a user's callback, which cannot disturb its caller. */
export function guarded(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    report(error)
  }
}
