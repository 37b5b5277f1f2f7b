import { defineConfig } from 'vitest/config'

/**
 * The tests that mutation testing runs: those of the protocol that say what they expect. Random schedules
 * take long, and what only they notice deserves a test that names it.
 */
export default defineConfig({
  test: {
    // A mutant's tests take milliseconds, a module's loading does not.
    isolate: false,
    include: ['spec/lib/**/*.spec.ts', 'spec/paper/**/*.spec.ts'],
    exclude: ['spec/lib/schedules.spec.ts'],
    testTimeout: 20_000,
  },
})
