import type { Mutant } from './mutant.ts'
import { oneWitness } from './settings.ts'

/** Defects in servers that vote and keep no commands (thesis §11.7.2). */
export const witnesses: readonly Mutant[] = [
  {
    name: 'witness-ahead-of-all-others',
    known: ['F7', 'F21'],
    defect: 'A witness is sent what no disk of a full voter has yet.',
    file: 'lib/leader.ts',
    find: 'const last = isToWitness ? heldByFullVoter(turn.state, role) : log.lastIndex',
    replace: 'const last = log.lastIndex',
    setting: oneWitness,
  },
  {
    name: 'witness-campaigns',
    known: ['F7'],
    defect: 'A witness campaigns, and leads without a command that it could give to anybody.',
    file: 'lib/election.ts',
    find: '!lacksState(state) &&',
    replace: '',
    setting: oneWitness,
  },
  {
    name: 'witness-answers',
    known: ['bug 23'],
    defect: 'A witness answers questions from a state that is empty.',
    file: 'operators/engine/querying.ts',
    find: 'if (lacksState(core.state)) return fail(new NoState(leaderOf(core.state)))',
    replace: '',
    setting: oneWitness,
  },
  {
    name: 'full-server-becomes-a-witness',
    known: ['F32'],
    defect: 'A change makes a witness of a full server, which may yet be elected.',
    file: 'lib/witnesses.ts',
    find: "if (isTurned) return 'witness'",
    replace: '',
    setting: { ...oneWitness, nodes: 5 },
  },
]
