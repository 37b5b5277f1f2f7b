/**
 * How much of what the machine can do the engine leaves to its user: durable commits per second and
 * their latency, each load measured in turns with a prototype that has no protocol.
 */
import { writeFileSync } from 'node:fs'
import { compare } from './compare.ts'
import { machine, onDisk } from './ground.ts'
import { parse, USAGE, type Options } from './options.ts'
import { results, type Result } from './report.ts'
import { ceiling } from './suites.ts'
import { header, rows } from './table.ts'

async function bench(options: Options): Promise<Result[]> {
  const ground = { directory: onDisk(options.directory), profiles: options.profiles }
  const all: Result[] = []
  console.log(machine())
  for (const suite of options.suites) {
    console.log(`\n${suite.name}: ${suite.about}\n${header()}`)
    for (const comparison of await compare(ceiling, suite.subject, options, ground)) {
      const found = results(suite, comparison)
      console.log(rows(found))
      all.push(...found)
    }
  }
  return all
}

try {
  const options = parse(process.argv.slice(2))
  if (options === undefined) {
    console.log(USAGE)
  } else {
    const results = await bench(options)
    const report = JSON.stringify({ machine: machine(), results }, undefined, 2)
    if (options.json !== undefined) writeFileSync(options.json, report + '\n')
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
