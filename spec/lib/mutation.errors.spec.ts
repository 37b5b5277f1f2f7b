import { describe, expect, it } from 'vitest'
import {
  CommandFailed,
  CommandTooLarge,
  Compacted,
  ConfigError,
  CorruptLog,
  DirectoryLocked,
  InvariantError,
  NotLeader,
  Overloaded,
  RaftError,
  Stopped,
  StorageError,
  Superseded,
  Timeout,
  UnknownFormat,
  WrongCluster,
} from '../../lib/errors.ts'

/** What callers decide by. */
const fateOf = ({ name, code, retryable, outcome }: RaftError) =>
  `${name} ${code} ${retryable ? 'retryable' : 'final'} ${outcome}`

const cases: readonly (readonly [string, () => RaftError, string])[] = [
  ['NotLeader not-leader retryable none', () => new NotLeader('b'), 'not the leader: b is'],
  ['NotLeader not-leader retryable none', () => new NotLeader(undefined), 'no leader is known'],
  ['Overloaded overloaded retryable none', () => new Overloaded('full'), 'full'],
  [
    'Superseded superseded retryable none',
    () => new Superseded(7),
    "another leader's entry took the command's place at index 7",
  ],
  ['Timeout timeout retryable none', () => new Timeout(9, 'none'), 'no answer after 9 ms'],
  [
    'Timeout timeout retryable unknown',
    () => new Timeout(9, 'unknown'),
    'no outcome after 9 ms: the command may still take effect',
  ],
  [
    'Compacted compacted final none',
    () => new Compacted(1, 5),
    'index 1 is compacted: the log begins at 5',
  ],
  ['Stopped stopped final unknown', () => new Stopped('unknown'), 'the node is stopped'],
  [
    'CommandTooLarge command-too-large final none',
    () => new CommandTooLarge(9, 8),
    'the command takes 9 bytes encoded: at most 8 are allowed',
  ],
  [
    'CommandFailed command-failed final none',
    () => new CommandFailed(7, 'no'),
    'applying the command at index 7 threw: no',
  ],
  ['ConfigError config final none', () => new ConfigError('x', 1, 'y'), 'x is 1: it should be y'],
  ['InvariantError invariant final none', () => new InvariantError('two lead'), 'two lead'],
  ['StorageError storage final unknown', () => new StorageError('no disk'), 'no disk'],
  [
    'CorruptLog corrupt-log final unknown',
    () => new CorruptLog('f', 8, 'odd', 'Wipe it.'),
    'f is corrupt at offset 8: odd. Wipe it.',
  ],
  [
    'DirectoryLocked directory-locked final none',
    () => new DirectoryLocked('d'),
    'd is in use by another process: one directory belongs to one node',
  ],
  [
    'UnknownFormat unknown-format final none',
    () => new UnknownFormat('f', 9),
    'f has format version 9, which this version of rxraft does not know',
  ],
  [
    'WrongCluster wrong-cluster final none',
    () => new WrongCluster('d', 'x', 'y'),
    'd belongs to cluster "x" and was opened for cluster "y": ' +
      'a server of another cluster begins on an empty directory',
  ],
]

describe('an error', () => {
  it.each(cases)('says what became of the command: %s', (fate, make, message) => {
    const error = make()
    expect(error).toBeInstanceOf(RaftError)
    expect(fateOf(error)).toBe(fate)
    expect(error.message).toBe(message)
  })

  it('keeps its cause', () => {
    const cause = new Error('full')
    for (const { cause: kept } of [
      new CommandFailed(1, cause),
      new Stopped('none', { cause }),
      new StorageError('no disk', { cause }),
    ]) {
      expect(kept).toBe(cause)
    }
  })
})

describe('an option that cannot be', () => {
  const endless: Record<string, unknown> = {}
  endless['self'] = endless

  it.each([
    ['"1"', '1'],
    ['1', 1],
    ['NaN', NaN],
    ['undefined', undefined],
    ['null', null],
    ['["a"]', ['a']],
    ['{"ms":1}', { ms: 1 }],
    ['[object Object]', { toJSON: () => undefined }],
    ['an object', endless],
  ])('is shown as %s', (shown, value) => {
    expect(new ConfigError('x', value, 'y').message).toBe(`x is ${shown}: it should be y`)
  })
})
