import { delay, interval, of, take } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../testing/simulation/clock.ts'
import { ServerClock } from '../../testing/simulation/serverClock.ts'

function said(world: VirtualClock): { log: string[]; say: (what: string) => () => void } {
  const log: string[] = []
  return { log, say: (what) => () => log.push(`${what} ${world.now()}`) }
}

describe('the virtual clock', () => {
  it('is a scheduler for every operator', () => {
    const clock = new VirtualClock()
    const heard: [number, number][] = []
    interval(10, clock)
      .pipe(take(3))
      .subscribe((i) => heard.push([clock.now(), i]))
    of(7)
      .pipe(delay(15, clock))
      .subscribe((i) => heard.push([clock.now(), i]))
    clock.runUntil(25)
    expect(heard).toEqual([
      [10, 0],
      [15, 7],
      [20, 1],
    ])
    clock.runUntil(100)
    expect(heard.at(-1)).toEqual([30, 2])
    expect(clock.now()).toBe(100)
  })

  it('runs what is scheduled without a delay at the same instant, after what is due at it', () => {
    const clock = new VirtualClock()
    const { log, say } = said(clock)
    clock.at(5, () => {
      clock.schedule(say('end of turn'))
      say('first')()
    })
    clock.at(5, say('second'))
    clock.runUntil(5)
    expect(log).toEqual(['first 5', 'second 5', 'end of turn 5'])
  })

  it('runs no more than it may', () => {
    const clock = new VirtualClock()
    const { log, say } = said(clock)
    for (const at of [1, 2, 3]) clock.at(at, say('event'))
    clock.limit(2)
    expect(() => clock.runUntil(10)).toThrow('too much has happened by 3 ms')
    expect(log).toEqual(['event 1', 'event 2'])
  })

  it('does not run what was unsubscribed', () => {
    const clock = new VirtualClock()
    const { log, say } = said(clock)
    const action = clock.schedule(say('never'), 5)
    clock.schedule(() => action.unsubscribe(), 5)
    const earlier = clock.schedule(say('never'), 6)
    clock.schedule(() => earlier.unsubscribe(), 4)
    clock.runUntil(10)
    expect(log).toEqual(['never 5'])
  })
})

describe('time', () => {
  it('does not stand still for ever', () => {
    const clock = new VirtualClock()
    clock.schedule(function () {
      this.schedule()
    }, 5)
    expect(() => clock.runUntil(10)).toThrow('time stands still at 5 ms')
  })
})

describe("a server's clock", () => {
  it('holds up timers and mail of a paused server, timers first when it is resumed', () => {
    const world = new VirtualClock()
    const server = new ServerClock(world)
    const { log, say } = said(world)
    server.schedule(say('before'), 5)
    server.schedule(() => {
      say('timer')()
      server.schedule(say('end of turn'))
    }, 20)
    server.schedule(say('another'), 30)
    server.schedule(say('after'), 60)
    world.at(10, () => server.pause())
    world.at(15, () => server.post(say('mail')))
    world.at(50, () => server.resume())
    world.runUntil(100)
    const overdue = ['timer 50', 'end of turn 50', 'another 50.001', 'mail 50.002']
    expect(log).toEqual(['before 5', ...overdue, 'after 60'])
  })

  it('does not ring for a timer that was taken back while the server was paused', () => {
    const world = new VirtualClock()
    const server = new ServerClock(world)
    const { log, say } = said(world)
    const timer = server.schedule(say('timer'), 20)
    server.pause()
    world.runUntil(30)
    timer.unsubscribe()
    server.resume()
    world.runUntil(100)
    expect(log).toEqual([])
  })

  it('jumps forwards, and what is due by then rings at once', () => {
    const world = new VirtualClock()
    const server = new ServerClock(world)
    const { log, say } = said(world)
    server.schedule(say('near'), 20)
    server.schedule(say('far'), 200)
    world.at(10, () => server.jump(100))
    world.runUntil(10)
    expect(server.now()).toBe(110)
    expect(log).toEqual(['near 10'])
    world.runUntil(300)
    expect(log).toEqual(['near 10', 'far 100'])
  })

  it('runs fast or slow, and never back', () => {
    const world = new VirtualClock()
    const server = new ServerClock(world)
    const { log, say } = said(world)
    server.schedule(say('timer'), 100)
    world.at(20, () => server.drift(2))
    world.at(40, () => server.drift(0.5))
    world.runUntil(20)
    expect(server.now()).toBe(20)
    world.runUntil(40)
    expect(server.now()).toBe(60)
    world.runUntil(1000)
    expect(log).toEqual(['timer 120'])
  })

  it('knows when it showed what', () => {
    const world = new VirtualClock()
    const server = new ServerClock(world)
    world.at(20, () => server.drift(2))
    world.at(40, () => server.jump(100))
    world.at(50, () => server.drift(0.5))
    world.runUntil(60)
    expect(server.now()).toBe(185)
    const shown = [-5, 10, 20, 40, 60, 61, 160, 170, 180, 185, 200]
    const when = [0, 10, 20, 30, 40, 40, 40, 45, 50, 60, 60]
    expect(shown.map((ms) => server.when(ms))).toEqual(when)
  })

  it('forgets everything that waits when the process dies', () => {
    const world = new VirtualClock()
    const server = new ServerClock(world)
    const { log, say } = said(world)
    server.schedule(say('timer'), 20)
    server.pause()
    server.post(say('mail'))
    server.clear()
    world.runUntil(100)
    expect(log).toEqual([])
    expect(server.isPaused).toBe(false)
  })
})
