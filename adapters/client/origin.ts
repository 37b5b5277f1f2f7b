/**
 * Whether a page may connect. A browser says of which origin a page is, and connects for any: without a look at it, whichever
 * page somebody opens could use what only their browser reaches. Programs say nothing.
 */
export function isWelcome(
  origin: string | undefined,
  host: string | undefined,
  origins: readonly string[],
): boolean {
  if (origin === undefined || origins.includes(origin)) return true
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase()
}
