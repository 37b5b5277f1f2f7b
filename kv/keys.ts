/** Longest key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024

/**
 * Orders keys as their UTF-8 bytes are ordered. Strings compare by UTF-16 code units, which puts
 * surrogate pairs before U+E000 to U+FFFF; the code units that differ first are moved to where their
 * code points belong.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rankOf(x) - rankOf(y)
  }
  return a.length - b.length
}

/** Where a code unit stands among all, in the order of the bytes that its code point has. */
export const rankOf = (unit: number): number =>
  unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800
