/** Play, pause, speed, and the keys. Knows the theatre only by `at`, `length`, `go` and `fault`. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32]
const READING = 900

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

  /** The next speed; after the fastest comes the slowest. */
  around() { this.faster(this.rate === SPEEDS.at(-1) ? 1 - SPEEDS.length : 1) }

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

  /** What a key means, or undefined. Never with modifiers but Shift, never while typing. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return undefined
    if (event.target.closest?.('input:not([type="range"]), textarea, select, [contenteditable], dialog')) return undefined
    const onControl = event.target.closest?.('button, a, summary, input')
    const { theatre } = this
    const keys = {
      ' ': onControl ? undefined : () => this.toggle(), k: () => this.toggle(),
      ArrowRight: () => theatre.step(1), l: () => theatre.step(1), n: () => theatre.step(1), PageDown: () => theatre.step(1),
      ArrowLeft: () => theatre.step(-1), h: () => theatre.step(-1), p: () => theatre.step(-1), PageUp: () => theatre.step(-1),
      Home: () => theatre.jump(0), End: () => theatre.jump(theatre.length),
      '[': () => this.faster(-1), ']': () => this.faster(1),
      f: () => theatre.present(), s: () => theatre.share(), w: () => theatre.whatIf(), z: () => theatre.by(), '?': () => theatre.help(), Escape: () => theatre.unselect(),
    }
    if (event.shiftKey && event.key === 'ArrowRight') return () => theatre.jump(theatre.fault(1))
    if (event.shiftKey && event.key === 'ArrowLeft') return () => theatre.jump(theatre.fault(-1))
    return keys[event.key]
  }
}
