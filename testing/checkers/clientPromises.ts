import type { MakeChecker, Request, Response } from './observation.ts'

/**
 * Every operation of a client is answered once, with an answer that suits what was asked, and before the
 * end of a run in which the faults ended. A client asks one thing at a time.
 */
export const clientPromises: MakeChecker = (violate) => {
  const known = new Set<number>()
  const open = new Map<number, { readonly operation: number; readonly request: Request }>()
  let isHealed = false
  return {
    name: 'client promises settle',
    observe: (seen) => {
      if (seen.type === 'healed') isHealed = true
      if (seen.type === 'invoked') {
        const { client, operation, request } = seen
        const before = open.get(client)
        if (known.has(operation)) violate(`operation ${operation} was invoked twice`)
        if (before !== undefined) {
          violate(`client ${client} invoked ${operation} while ${before.operation} was open`)
        }
        known.add(operation)
        open.set(client, { operation, request })
      }
      if (seen.type === 'returned') {
        const { client, operation, response } = seen
        const asked = open.get(client)
        if (asked?.operation !== operation) {
          violate(`client ${client} was answered ${operation}, which is not what it waits for`)
          return
        }
        open.delete(client)
        if (!suits(asked.request, response)) {
          violate(`a ${asked.request.type} was answered ${JSON.stringify(response)}`)
        }
      }
      if (seen.type !== 'ended' || !isHealed) return
      for (const [client, { operation, request }] of open) {
        violate(`operation ${operation} of client ${client}, a ${request.type}, was never answered`)
      }
    },
  }
}

function suits({ type }: Request, response: Response): boolean {
  if (response.type !== 'ok') return true
  return 'swapped' in response === (type === 'cas') && (type === 'get' || !('value' in response))
}
