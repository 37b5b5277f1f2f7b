import { BlockList, isIP } from 'node:net'
import { ConfigError } from '../../../lib/errors.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

const FORM = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')
loopback.addAddress('::1', 'ipv6')

/** Reads `HOST:PORT`, where an IPv6 address stands in brackets. Throws `ConfigError`. */
export function parseAddress(option: string, text: unknown, lowestPort: number): Address {
  const expected = `HOST:PORT with a port from ${lowestPort} to 65535, such as '127.0.0.1:7000' or '[::1]:7000'`
  const found = typeof text === 'string' ? FORM.exec(text) : null
  if (found === null) throw new ConfigError(option, text, expected)
  const [, inner, plain, digits] = found
  const host = (inner ?? plain)!
  const port = Number(digits)
  const isWrong = inner !== undefined && isIP(inner) !== 6
  if (isWrong || port < lowestPort || port > 65_535) throw new ConfigError(option, text, expected)
  return { host, port }
}

/** Whether only this machine can be at the address: a name other than `localhost` may be anywhere. */
export function isLoopback({ host }: Address): boolean {
  const version = isIP(host)
  if (version === 0) return host.toLowerCase() === 'localhost'
  return loopback.check(host, version === 6 ? 'ipv6' : 'ipv4')
}

/** The address as it was written. */
export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
