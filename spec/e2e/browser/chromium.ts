import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome.exe']

const ELSEWHERE = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Where a browser is, or `undefined` when this machine has none. `CHROMIUM` may say where. */
export function findChromium(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env
  const found = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return [CHROMIUM, ...found, ...ELSEWHERE].find((path) => path !== undefined && existsSync(path))
}

/** Opens a page, without a window. The returned function ends the browser. */
export function browse(chromium: string, url: string): () => Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'rxraft-chromium-'))
  const options = ['--headless', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  // Its sandbox needs what containers and hosted machines do not give, least of all to root.
  const isContained = process.getuid?.() === 0 || process.env['CI'] !== undefined
  const sandbox = isContained ? ['--no-sandbox'] : []
  const args = [...options, ...sandbox, `--user-data-dir=${profile}`, url]
  const child = spawn(chromium, args, { stdio: 'ignore', detached: process.platform !== 'win32' })
  const exited = new Promise((resolve) => child.once('close', resolve))
  return async () => {
    if (child.exitCode === null && child.pid !== undefined) {
      if (process.platform === 'win32') child.kill()
      else process.kill(-child.pid, 'SIGKILL')
    }
    await exited
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 })
  }
}
