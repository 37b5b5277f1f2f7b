/** Writes cover whole blocks of this size: no disk in use has larger ones. */
export const BLOCK = 4096

/** A block's worth of bytes, and the next one, and the next. */
export const wholeBlocks = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK

export const beforeBlock = (bytes: number): number => bytes - (bytes % BLOCK)

const WASM_PAGE = 64 * 1024

/** What is used of it: the standard library's types have it for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
}

/**
 * At least so many zeros, in memory that begins on a block: direct writes go from there to the disk by
 * themselves. Of all memory that a program can ask for, only that of WebAssembly begins on a page; where
 * there is none, direct writes are refused and not used.
 */
export function blocks(length: number): Buffer {
  try {
    const { buffer } = new WebAssembly.Memory({ initial: Math.ceil(length / WASM_PAGE) })
    return Buffer.from(buffer)
  } catch {
    return Buffer.alloc(wholeBlocks(length))
  }
}
