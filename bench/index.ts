/**
 * How much of what the machine can do the engine leaves to its user. Each suite prints a table; docs/performance.md
 * says what they measure.
 */
import { writeFileSync } from 'node:fs'
import { machine, onDisk } from './ground.ts'
import { json } from './json.ts'
import { parse, USAGE, type Options } from './options.ts'
import type { Result } from './report.ts'

async function bench(options: Options): Promise<Result[]> {
  const ground = { directory: onDisk(options.directory), profiles: options.profiles }
  const all: Result[] = []
  console.log(machine())
  for (const suite of options.suites) {
    console.log(`\n${suite.name}: ${suite.about}`)
    all.push(...(await suite.run(options, ground, (text) => console.log(text))))
  }
  return all
}

try {
  const options = parse(process.argv.slice(2))
  if (options === undefined) {
    console.log(USAGE)
  } else {
    const results = await bench(options)
    if (options.json !== undefined)
      writeFileSync(options.json, json(machine(), options.command, results))
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
