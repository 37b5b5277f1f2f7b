import { of } from 'rxjs'

/** Runs a user's callback; what it throws is reported as RxJS reports what a subscriber throws. */
export function guarded(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    of(error).subscribe((thrown) => {
      throw thrown
    })
  }
}
