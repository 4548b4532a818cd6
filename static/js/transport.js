/** Play, pause, speed. Knows the theatre only by `at`, `length`, `next`, `go` and `fault`. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32]
const READING = 900

/** What the address says of a view. */
export const asked = name => new URLSearchParams(location.search).get(name) ?? ''

/** What every player does, by the names that app/keys.py gives. It has `step`, `jump`, `fault`, `length` and `transport`. */
export function acts(player) {
  const { transport } = player
  return {
    play: () => transport.toggle(),
    next: () => player.step(1),
    previous: () => player.step(-1),
    'next-fault': () => player.jump(player.fault(1)),
    'previous-fault': () => player.jump(player.fault(-1)),
    first: () => player.jump(0),
    last: () => player.jump(player.length),
    slower: () => transport.faster(-1),
    faster: () => transport.faster(1),
    usual: () => transport.usual(),
  }
}

export class Transport {
  #timer
  #speed = 2

  constructor(theatre) {
    this.theatre = theatre
    const speed = SPEEDS.indexOf(Number(asked('speed')))
    if (speed < 0) return
    this.#speed = speed
    this.#said()
  }

  get playing() { return this.#timer !== undefined }
  get rate() { return SPEEDS[this.#speed] }

  /** The speed as an address says it; nothing for the usual one. */
  get told() { return this.rate === 1 ? '' : `&speed=${this.rate}` }

  /** Play on from here; from the beginning when at the end. */
  play() {
    if (this.theatre.at >= this.theatre.length) this.theatre.go(0)
    this.#timer = 0
    this.#said()
    this.#next()
  }

  pause() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#said()
  }

  toggle() { if (this.playing) this.pause(); else this.play() }

  faster(by) {
    this.#pace(Math.max(0, Math.min(SPEEDS.length - 1, this.#speed + by)))
  }

  /** The next speed; after the fastest the slowest. */
  round() { this.faster(this.rate >= SPEEDS.at(-1) ? -SPEEDS.length : 1) }

  usual() {
    this.#pace(SPEEDS.indexOf(1))
  }

  #pace(speed) {
    this.#speed = speed
    this.#said()
    this.theatre.paced()
  }

  async #next() {
    if (!this.playing) return
    if (this.theatre.at >= this.theatre.length) return this.pause()
    const turn = this.#timer
    await this.theatre.go(this.theatre.next, { played: true })
    if (this.#timer === turn) this.#timer = setTimeout(() => this.#next(), READING / this.rate)
  }

  #said() {
    this.theatre.toggleAttribute('data-playing', this.playing)
    this.theatre.said({ playing: this.playing, rate: this.rate })
  }
}
