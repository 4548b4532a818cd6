/**
 * The story: from beat to beat with one button, free play at any moment, and a way back. What is said at a beat is in
 * the cells; this moves between them. Without it each beat is a page, and the button a link. It can also tell itself:
 * then a beat stays for as long as it takes to read, and any press takes over.
 */
const still = matchMedia('(prefers-reduced-motion: reduce)')
const WAY = 1400
const PACE = 90
const GLANCE = 900
const WORD = 250
const RUN = '#play'

export class Story {
  #timer
  #bar
  #to

  constructor(theatre, signal) {
    this.theatre = theatre
    this.beats = theatre.trace.beats
    theatre.addEventListener('fault:step', () => this.#mirror())
    for (const press of ['pointerdown', 'keydown', 'wheel', 'visibilitychange']) document.addEventListener(press, event => this.#takeOver(event), { signal, capture: true, passive: true })
  }

  get on() { return this.theatre.hasAttribute('data-story') }
  get running() { return this.theatre.hasAttribute('data-running') }
  get onBeat() { return this.beats.includes(this.theatre.at) }
  get #walking() { return this.theatre.hasAttribute('data-telling') }
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

  /** Whoever came by an address that says so has the story told; not who asked for a still screen. */
  arrived() { if (this.on && location.hash === RUN && !still.matches) this.run() }

  /** Tell the story by itself from here on, or stop doing so. */
  run() {
    if (this.running) return this.#rest()
    this.theatre.transport.pause()
    this.#said(true)
    if (this.onBeat) this.#dwell()
    else this.go()
  }

  /** On to the next beat, playing the steps between them; or back to the beat that was left. */
  go() {
    if (this.#walking) return this.#arrive(this.#to)
    if (!this.onBeat) return this.#arrive(this.beats[this.#number])
    const to = this.beats[this.#number + 1]
    if (to === undefined) return
    this.#quiet()
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
    this.#quiet()
    this.#said(false)
  }

  #quiet() {
    clearTimeout(this.#timer)
    this.#bar?.cancel()
    this.theatre.toggleAttribute('data-telling', false)
  }

  #said(running) {
    this.theatre.toggleAttribute('data-running', running)
    this.theatre.querySelector('[data-story="run"]').setAttribute('aria-label', running ? 'Pause the story' : 'Tell it by itself')
  }

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
    this.#quiet()
    this.theatre.transport.pause()
    this.theatre.go(to, { address: 'push' })
    if (this.running) this.#dwell()
  }

  /** Stay for as long as it takes to read what is said; the button fills meanwhile. */
  #dwell() {
    if (this.theatre.at === this.beats.at(-1)) return this.halt()
    const { at } = this.theatre
    const words = this.theatre.trace.value('story.say').split(/\s+/).length
    const time = GLANCE + WORD * words
    this.#bar = this.theatre.querySelector('.storyline [data-story="on"]').animate({ backgroundSize: ['0 100%', '100% 100%'] }, time)
    this.#timer = setTimeout(() => this.theatre.at === at ? this.go() : this.halt(), time)
  }

  /** Go to the end of what is moving, and wait there. */
  #rest() {
    if (!this.#walking) this.#quiet()
    this.#said(false)
  }

  /** The hand has the last word: what it presses happens, and the story waits from then on. */
  #takeOver(event) {
    if (this.running && event.key !== 'k' && !event.target.closest?.('[data-story="run"]')) this.#rest()
  }

  /** What a click on a link of the story does; whether it was one. */
  click(link) {
    const what = { begin: 'begin', on: 'go', back: 'back', free: 'leave', run: 'run' }[link?.dataset.story]
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
    if (!this.onBeat && !this.#walking) return undefined
    return { ' ': () => this.go(), k: () => this.run(), ArrowRight: () => this.go(), ArrowLeft: () => this.back() }[event.key]
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
