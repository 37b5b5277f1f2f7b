import { isText } from './hello.ts'

/** Longest identity in TLS with a shared secret. */
export const URI_BYTES = 250

/**
 * The name under which a server proves itself: `raft://CLUSTER/ID`, both percent-encoded. It stands in
 * its certificate, or is its identity where a shared secret is used.
 */
export function identityUri(cluster: string, id: string): string {
  return `raft://${encodeURIComponent(cluster)}/${encodeURIComponent(id)}`
}

/** Whether a server of the cluster can be called `id`. */
export function isName(id: string, cluster: string): boolean {
  return isText(id) && identityUri(cluster, id).length <= URI_BYTES
}

const FORM = /^raft:\/\/([^/]+)\/([^/]+)$/

/** The id in a URI of this cluster, or `undefined` when it is not one. */
export function idOf(uri: string, cluster: string): string | undefined {
  const found = FORM.exec(uri)
  if (found === null) return undefined
  try {
    const id = decodeURIComponent(found[2]!)
    // A second spelling of the same name is no name.
    return identityUri(cluster, id) === uri ? id : undefined
  } catch {
    return undefined
  }
}
