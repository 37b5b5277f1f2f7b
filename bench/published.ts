/**
 * What fluree/raft publishes of itself, in operations a second, by servers and clients: its
 * `jepsen-raft/performance-results.md` of July 2025 (9492080), ten commands of each client.
 */
export const published: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  3: { 1: 16.1, 10: 131.1, 50: 365.8, 100: 631.7, 150: 747.8, 200: 757.3 },
  5: { 1: 14.5, 10: 76.2, 50: 283.3, 100: 394.2, 150: 542.1, 200: 574.5 },
  7: { 1: 14.1, 10: 82.9, 50: 229.1, 100: 313.3, 150: 400.5, 200: 420.1 },
}
