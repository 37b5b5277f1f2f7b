import { isZero, SECTOR } from './numbers.ts'
import { lacksTrailer, readHeader, RECORD_HEADER, zeroSectors } from './record.ts'

/**
 * What follows the last good record of a segment: nothing, a write that a crash interrupted and that
 * was therefore never acknowledged, or damage to what may have been acknowledged.
 */
export type Ending =
  { readonly type: 'clean' } | { readonly type: 'torn' | 'corrupt'; readonly reason: string }

const torn = (reason: string): Ending => ({ type: 'torn', reason })
const corrupt = (reason: string): Ending => ({ type: 'corrupt', reason })

/**
 * Judges the bytes from `at` on, where no good record stands. One write is one record and the next one
 * starts when it is durable, so only the last record can be torn; and a sector is written whole or stays
 * zero, so a torn record is missing something. Everything else is corruption.
 */
export function judge(bytes: Buffer, at: number): Ending {
  if (isZero(bytes, at, bytes.length)) return { type: 'clean' }
  const later = nextHeader(bytes, at + 8)
  if (later !== undefined)
    return corrupt(`bytes that are no record stand before the one at ${later}`)
  if (at + RECORD_HEADER > bytes.length) return torn('its header is cut short')
  const header = readHeader(bytes, at)
  return header === undefined ? judgeHeader(bytes, at) : judgeBody(bytes, at, header)
}

function judgeHeader(bytes: Buffer, at: number): Ending {
  const end = at + RECORD_HEADER
  if (isZero(bytes, end, bytes.length)) return torn('nothing follows a part of its header')
  // Neither the first nor the last 8 bytes of a header are ever zero.
  const seam = Math.min(Math.ceil((at + 1) / SECTOR) * SECTOR, end)
  if (isZero(bytes, at, seam)) return torn('the sector of its header was not written')
  if (seam < end && isZero(bytes, seam, end)) return torn('half of its header was not written')
  return corrupt('the header of the record is damaged')
}

function judgeBody(
  bytes: Buffer,
  at: number,
  header: { readonly end: number; readonly zeroSectors: number },
): Ending {
  const { end } = header
  if (end > bytes.length) return torn('it is longer than the file')
  if (!isZero(bytes, end, bytes.length))
    return corrupt('bytes that are no record follow the last one')
  if (lacksTrailer(bytes, end)) return torn('its end was not written')
  if (zeroSectors(bytes, at, end, at) > header.zeroSectors) {
    return torn('a sector in its middle was not written')
  }
  return corrupt('the checksum of the record is wrong, though every sector of it was written')
}

/** Where, at `from` or later, a record's header is intact. Records stand at multiples of 8. */
function nextHeader(bytes: Buffer, from: number): number | undefined {
  for (let at = from; at + RECORD_HEADER <= bytes.length; at += 8) {
    if (readHeader(bytes, at) !== undefined) return at
  }
  return undefined
}
