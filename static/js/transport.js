/** Play, pause, speed. Knows the theatre only by `at`, `length`, `next`, `go` and `fault`. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32]
const READING = 900

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

  constructor(theatre) { this.theatre = theatre }

  get playing() { return this.#timer !== undefined }
  get rate() { return SPEEDS[this.#speed] }

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
    this.#speed = Math.max(0, Math.min(SPEEDS.length - 1, this.#speed + by))
    this.#said()
  }

  /** The next speed; after the fastest the slowest. */
  round() { this.faster(this.rate >= SPEEDS.at(-1) ? -SPEEDS.length : 1) }

  usual() {
    this.#speed = SPEEDS.indexOf(1)
    this.#said()
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
