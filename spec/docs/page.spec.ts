import { spawn } from 'node:child_process'
import { firstValueFrom, fromEvent, map, scan, filter } from 'rxjs'
import { connect } from 'rxraft/client'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

it(
  'the page counts for whoever has it open, and its server ends when it is told to',
  { timeout: 60_000 },
  async () => {
    const args = ['--import', 'tsx', 'examples/page.ts']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const said$ = fromEvent(child.stdout, 'data').pipe(
      scan((said, data) => said + String(data), ''),
      map((said) => /http:\S+/.exec(said)?.[0]),
      filter((url) => url !== undefined),
    )
    const url = await firstValueFrom(said$)
    expect(await (await fetch(url)).text()).toContain('src="/page.js"')
    expect(await (await fetch(`${url}/page.js`)).text()).toContain('/clients')

    const servers = [`${url.replace('http', 'ws')}/clients`]
    const [one, other] = [1, 2].map(() => connect({ servers, cluster: 'page', WebSocket }))
    expect(await firstValueFrom(one!.propose(1))).toMatchObject({ result: 1 })
    expect(await firstValueFrom(other!.propose(1))).toMatchObject({ result: 2 })
    one!.close()
    other!.close()

    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  },
)
