/**
 * What is said in a room: a stream of events, and where none gets through, a question every two seconds. It tells `hear` each
 * state, and `net` how it goes: connecting, live, polling, lost or over.
 */
const PATIENCE = 6000
const POLL = 2000
const RETRY = 30_000

export class Stream {
  #source
  #alarm
  #poll
  #retry
  #failed = 0

  constructor(room, { hear, net }) { Object.assign(this, { room, hear, net }) }

  start() {
    this.net('connecting')
    this.#open()
  }

  stop() {
    this.#source?.close()
    for (const timer of [this.#alarm, this.#poll, this.#retry]) clearTimeout(timer)
    this.#source = this.#poll = undefined
  }

  #open() {
    this.#source?.close()
    const source = this.#source = new EventSource(`${this.room}/events`)
    source.addEventListener('message', event => { if (source === this.#source) this.#heard(event) })
    source.addEventListener('error', () => { if (source === this.#source) this.#error() })
    this.#watch()
  }

  /** The first words come at once: a stream that is silent then is held up on its way. */
  #watch() {
    clearTimeout(this.#alarm)
    this.#alarm = setTimeout(() => this.#fall(), PATIENCE)
  }

  #heard(event) {
    clearTimeout(this.#alarm)
    clearTimeout(this.#poll)
    this.#poll = undefined
    this.#failed = 0
    this.#say(JSON.parse(event.data), 'live')
  }

  #error() {
    this.#failed += 1
    if (this.#source.readyState === EventSource.CLOSED || this.#failed > 2) this.#fall()
    else this.net('connecting')
  }

  /** Ask instead, and try a stream again later. */
  #fall() {
    this.#source?.close()
    this.#source = undefined
    clearTimeout(this.#alarm)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#open(), RETRY)
    if (!this.#poll) this.#ask()
  }

  async #ask() {
    const again = this.#poll = setTimeout(() => this.#ask(), POLL)
    const answer = await fetch(`${this.room}/state`, { cache: 'no-cache' }).catch(() => undefined)
    if (this.#poll !== again) return
    if (answer?.ok) this.#say(await answer.json(), 'polling')
    else if (answer?.status === 404) this.#say({ over: true }, 'over')
    else this.net('lost')
  }

  #say(state, how) {
    if (state.over) this.stop()
    this.net(state.over ? 'over' : how)
    this.hear(state)
  }
}
