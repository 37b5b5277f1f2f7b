import type { Entry } from './page.ts'

/** Readable on white and on black. */
export const OURS = '#3f7fe8'
export const THEIRS = '#d9730d'
export const THIRD = '#2da44e'
export const YARDSTICK = '#8b949e'
export const AIM = '#d1242f'

export const AIMED: Entry = { name: 'aim', colour: AIM, isDashed: true }
