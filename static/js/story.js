/**
 * The story: from beat to beat with one button, free play at any moment, and a way back. What is said at a beat is in
 * the cells; this moves between them. Without it each beat is a page, and the button a link.
 */
const still = matchMedia('(prefers-reduced-motion: reduce)')
const WAY = 1400
const PACE = 90

export class Story {
  #timer

  constructor(theatre) {
    this.theatre = theatre
    this.beats = theatre.trace.beats
    theatre.addEventListener('fault:step', () => this.#mirror())
  }

  get on() { return this.theatre.hasAttribute('data-story') }
  get onBeat() { return this.beats.includes(this.theatre.at) }
  get #number() { return Math.max(0, this.beats.findLastIndex(step => step <= this.theatre.at)) }

  begin() {
    this.theatre.toggleAttribute('data-predict', false)
    this.theatre.toggleAttribute('data-story', true)
    this.theatre.tell({ story: '1', predict: null })
    this.theatre.jump(this.beats[0])
  }

  leave() {
    this.halt()
    this.theatre.toggleAttribute('data-story', false)
    this.theatre.tell({ story: null })
  }

  /** On to the next beat, playing the steps between them; or back to the beat that was left. */
  go() {
    if (this.#timer) return this.#arrive(this.#to)
    if (!this.onBeat) return this.theatre.jump(this.beats[this.#number])
    const to = this.beats[this.#number + 1]
    if (to === undefined) return
    if (still.matches) return this.#arrive(to)
    this.#to = to
    this.theatre.transport.pause()
    this.#walk(Math.min(PACE, WAY / (to - this.theatre.at)))
  }

  back() {
    this.halt()
    this.theatre.jump(this.beats[this.onBeat ? Math.max(0, this.#number - 1) : this.#number])
  }

  halt() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.theatre.toggleAttribute('data-telling', false)
  }

  #to

  #walk(pace) {
    this.theatre.toggleAttribute('data-telling', true)
    const next = this.theatre.at + 1
    this.#timer = setTimeout(() => {
      if (this.theatre.at !== next - 1) return this.halt()
      if (next >= this.#to) return this.#arrive(this.#to)
      this.theatre.go(next, { played: true })
      this.#walk(pace)
    }, pace)
  }

  #arrive(to) {
    this.halt()
    this.theatre.go(to, { address: 'push' })
  }

  /** What a click on a link of the story does; whether it was one. */
  click(link) {
    const what = { begin: 'begin', on: 'go', back: 'back', free: 'leave' }[link?.dataset.story]
    if (what) this[what]()
    return Boolean(what)
  }

  /** What a key means while the story is told; undefined leaves it to the others. */
  key(event) {
    if (!this.on || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return undefined
    if (event.target.closest?.('input, textarea, select, dialog, details[open]')) return undefined
    const control = event.target.closest?.('button, a, summary')
    if (event.key === 'Escape') return () => this.leave()
    if (control && (event.key === 'Enter' || (event.key === ' ' && control.dataset.story !== 'on'))) return undefined
    if (event.key === 'Enter') return () => this.go()
    if (!this.onBeat && !this.#timer) return undefined
    return { ' ': () => this.go(), ArrowRight: () => this.go(), ArrowLeft: () => this.back() }[event.key]
  }

  #mirror() {
    const step = n => `${this.theatre.dataset.self}${this.theatre.dataset.self.includes('?') ? '&' : '?'}step=${n}`
    const link = name => this.theatre.querySelector(`.storyline [data-story="${name}"]`)
    const onward = this.onBeat ? Math.min(this.beats.length - 1, this.#number + 1) : this.#number
    if (!this.on) return
    link('on').setAttribute('href', step(this.beats[onward] ?? 0))
    link('back').setAttribute('href', step(this.beats[Math.max(0, this.#number - 1)] ?? 0))
    if (this.onBeat && this.#number === 0) link('back').setAttribute('aria-disabled', 'true')
    else link('back').removeAttribute('aria-disabled')
  }
}
