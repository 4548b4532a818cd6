/**
 * <fault-player>: plays one trace in a frame of another site, or in a file of its own. It starts paused. Everything in it
 * works as plain links without this script; it never fetches, and keeps nothing.
 *
 * It tells its surroundings by the bubbling event `fault:step` ({at, event}).
 */
import { Motion } from './motion.js'
import { Scene } from './scene.js'
import { Trace } from './trace.js'
import { acts, Transport } from './transport.js'

const RESTING = 120

/** What a key does; a key in a field, or one that a control takes, is the field's own. */
const KEYS = {
  ' ': 'play', k: 'play', ArrowRight: 'next', l: 'next', n: 'next', PageDown: 'next', ArrowLeft: 'previous', h: 'previous', p: 'previous',
  PageUp: 'previous', Home: 'first', End: 'last', '[': 'slower', ']': 'faster', 0: 'usual',
}

class FaultPlayer extends HTMLElement {
  #soon
  #leave = new AbortController()

  connectedCallback() {
    document.documentElement.dataset.script = ''
    this.trace = new Trace(JSON.parse(this.querySelector('script[data-trace]').textContent))
    this.scene = new Scene(this)
    this.motion = new Motion(this.scene, this.trace, this.querySelector('.overlay'))
    this.transport = new Transport(this)
    const { signal } = this.#leave
    this.acts = { ...acts(this), speed: () => this.transport.round() }
    this.addEventListener('click', event => this.#click(event), { signal })
    this.querySelector('#scrub').addEventListener('input', event => { this.transport.pause(); this.go(Number(event.target.value)) }, { signal })
    document.addEventListener('keydown', event => this.#key(event), { signal })
    window.addEventListener('hashchange', () => this.#opened(), { signal })
    this.go(Number(this.dataset.step))
    this.#opened()
  }

  disconnectedCallback() {
    this.transport.pause()
    this.motion.cancel()
    this.#leave.abort()
    clearTimeout(this.#soon)
  }

  get at() { return this.trace.at }
  get length() { return this.trace.length }
  get next() { return this.at + 1 }
  get event() { return this.trace.step()?.event ?? '' }

  /** Show a step. One step forward is also played, unless motion is off. */
  async go(to, { played = false } = {}) {
    this.motion.cancel()
    const forward = to === this.at + 1
    if (forward) this.motion.before(to)
    this.scene.show(this.trace.seek(to))
    this.#mirror()
    this.querySelector('#caption').setAttribute('aria-live', played ? 'off' : 'polite')
    this.dispatchEvent(new CustomEvent('fault:step', { bubbles: true, detail: { at: this.at, event: this.event } }))
    if (forward) await this.motion.after(this.transport.rate)
    this.dataset.settled = this.at
  }

  step(by) { this.transport.pause(); this.go(this.at + by) }
  jump(to) { this.transport.pause(); this.go(to) }
  fault(direction) { return this.trace.fault(direction) }

  /** The step of this name, as links have it; undefined when there is none. */
  named(event) {
    const n = this.trace.told.indexOf(event)
    return n < 0 ? undefined : n + 1
  }

  /** The transport tells what it does. */
  said({ playing, rate }) {
    this.querySelector('[data-do="play"]').setAttribute('aria-label', playing ? 'Pause' : 'Play')
    this.querySelector('[data-do="speed"]').textContent = `${{ 0.25: '¼', 0.5: '½' }[rate] ?? rate}×`
    this.dispatchEvent(new CustomEvent('fault:play', { bubbles: true, detail: { playing } }))
  }

  /** The speed is another. */
  paced() { this.#mirror() }

  /** A file has its step behind the #, for it has no server that could read a query. */
  get #isFile() { return this.dataset.self === '' }
  #href(n) { return this.#isFile ? `#step=${n}` : join(this.dataset.self, `step=${n}`) }

  #opened() {
    const said = location.hash.match(/^#step=(\d{1,9})$/)
    if (said && Number(said[1]) !== this.at) this.jump(Number(said[1]))
  }

  /** Everything outside the cells that names the step: links, the scrubber, the address. */
  #mirror() {
    const { at } = this
    for (const [rel, n] of [['first', 0], ['prev', at - 1], ['next', at + 1], ['last', this.length]]) {
      const link = this.querySelector(`.controls [rel="${rel}"]`)
      const to = Math.max(0, Math.min(n, this.length))
      link.setAttribute('href', this.#href(to))
      link.toggleAttribute('aria-disabled', false)
      if (to === at) link.setAttribute('aria-disabled', 'true')
    }
    const whole = this.querySelector('#whole')
    whole?.setAttribute('href', whole.getAttribute('href').replace(/step=\d+/, `step=${at}`))
    const scrub = this.querySelector('#scrub')
    scrub.value = at
    scrub.setAttribute('aria-valuetext', this.trace.value('time.valuetext') ?? '')
    this.dataset.step = at
    clearTimeout(this.#soon)
    this.#soon = setTimeout(() => this.#address(), RESTING)
  }

  /** The address follows when the hand rests, where the browser lets it. */
  #address() {
    try { history.replaceState(null, '', this.#isFile ? this.#href(this.at) : join(this.dataset.self, `step=${this.at}${this.transport.told}`)) } catch { /* a frame, or a file, may have no history of its own */ }
  }

  #click(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    const rel = event.target.closest('.controls a')?.rel
    const act = { first: 'first', prev: 'previous', next: 'next', last: 'last' }[rel] ?? event.target.closest('[data-do]')?.dataset.do
    if (!this.acts[act]) return
    event.preventDefault()
    this.acts[act]()
  }

  #key(event) {
    const control = event.target.closest?.('button, a, summary, input')
    const act = this.acts[KEYS[event.key]]
    if (!act || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (control && (event.key === ' ' || control.matches('input'))) return
    event.preventDefault()
    act()
  }
}

function join(base, query) {
  const [path, packed] = base.split('#')
  return `${path}${path.includes('?') ? '&' : '?'}${query}${packed ? `#${packed}` : ''}`
}

customElements.define('fault-player', FaultPlayer)
