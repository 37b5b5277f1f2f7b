/** A whole number from 0 on as text whose order is that of the numbers. */
export const ordinal = (number: number): string => number.toString(36).padStart(DIGITS, '0')

/** The number with which a text begins. */
export const ordinalIn = (text: string): number => parseInt(text.slice(0, DIGITS), 36)

/** Of the largest safe integer. */
const DIGITS = Number.MAX_SAFE_INTEGER.toString(36).length
