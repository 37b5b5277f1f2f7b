import type { Page } from './page.ts'
import type { Figure } from './record.ts'

/** A picture of what one suite found. */
export interface Plot {
  readonly file: string
  readonly suite: string
  /** How it is to be read. */
  readonly legend: string
  /** Without charts where the figures have nothing of what it shows. */
  readonly page: (figures: readonly Figure[]) => Omit<Page, 'caption'>
}

export const BARS = 'Medians; bars from the least to the most of all runs.'
