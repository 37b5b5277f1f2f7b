#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { processIo } from './io.ts'
import { run } from './program.ts'

// Whoever reads may stop reading: `rxraft watch | head`.
process.stdout.on('error', () => process.exit())

process.exitCode = await run(process.argv.slice(2), processIo, fileURLToPath(import.meta.url))
