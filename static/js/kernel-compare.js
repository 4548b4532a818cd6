/**
 * <kernel-compare>: plays runs side by side. Everything in it works as plain links without this file; it never fetches.
 *
 * A beat is a step of it. The address mirrors the beat: replaceState while stepping, pushState on a jump.
 */
import { offer } from './keys.js'
import { Scene } from './scene.js'
import { Trace } from './trace.js'
import { acts, Transport } from './transport.js'

const RESTING = 120

class KernelCompare extends HTMLElement {
  #leave = new AbortController()
  #soon
  #rest = () => {}

  connectedCallback() {
    this.trace = new Trace(JSON.parse(this.querySelector('script[data-trace]').textContent))
    this.scene = new Scene(this)
    this.transport = new Transport(this)
    const { signal } = this.#leave
    this.addEventListener('click', event => this.#click(event), { signal })
    this.querySelector('#scrub').addEventListener('input', event => { this.transport.pause(); this.go(Number(event.target.value)) }, { signal })
    offer(this.#acts(), signal)
    window.addEventListener('popstate', event => this.#pop(event), { signal })
    this.go(Number(this.dataset.step))
  }

  disconnectedCallback() {
    this.transport.pause()
    this.#leave.abort()
    clearTimeout(this.#soon)
  }

  get at() { return this.trace.at }
  get length() { return this.trace.length }
  get next() { return this.at + 1 }

  /** Show a beat. */
  go(to, { address = 'replace' } = {}) {
    this.scene.show(this.trace.seek(to))
    this.#mirror(address)
  }

  step(by) { this.transport.pause(); this.go(this.at + by) }
  jump(to) { this.transport.pause(); this.go(to, { address: 'push' }) }
  fault(direction) { return this.trace.fault(direction) }

  /** To the first difference; where there is none, nowhere. */
  differ() { if ('difference' in this.dataset) this.jump(Number(this.dataset.difference)) }

  /** What can be done here, by the names that app/keys.py gives. */
  #acts() { return { ...acts(this), differ: () => this.differ() } }

  /** The transport tells what it does. */
  said({ playing, rate }) {
    this.querySelector('[data-do="play"]').setAttribute('aria-label', playing ? 'Pause' : 'Play')
    this.querySelector('[data-do="speed"]').textContent = `${{ 0.25: '¼', 0.5: '½' }[rate] ?? rate}×`
  }

  /** The speed is another. */
  paced() { this.#mirror('replace') }

  #href(to) { return join(this.dataset.self, Math.max(0, Math.min(to, this.length))) }

  /** Everything outside the cells that names the beat: links, the scrubber, the address. */
  #mirror(address) {
    const { at } = this
    for (const [rel, to] of [['first', 0], ['prev', at - 1], ['next', at + 1], ['last', this.length]]) {
      const link = this.querySelector(`.controls [rel="${rel}"]`)
      link.setAttribute('href', this.#href(to))
      if (this.#href(to) === this.#href(at)) link.setAttribute('aria-disabled', 'true')
      else link.removeAttribute('aria-disabled')
    }
    for (const link of this.querySelectorAll('a[data-run]')) link.setAttribute('href', join(link.dataset.run, link.querySelector('b').textContent))
    const scrub = this.querySelector('#scrub')
    scrub.setAttribute('value', at)
    scrub.value = at
    scrub.setAttribute('aria-valuetext', this.trace.value('time.valuetext') ?? '')
    this.dataset.step = at
    this.#address(this.#href(at) + this.transport.told, address)
  }

  /** The address follows: at once on a jump, else when the hand rests; browsers bear only so many changes a second. */
  #address(here, how) {
    if (how === 'push') {
      this.#rest()
      return history.pushState({}, '', here)
    }
    clearTimeout(this.#soon)
    this.#rest = () => {
      clearTimeout(this.#soon)
      if (location.pathname + location.search !== here) history.replaceState({}, '', here)
      this.#rest = () => {}
    }
    this.#soon = setTimeout(() => this.#rest(), RESTING)
  }

  #click(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    const rel = event.target.closest('a[rel]')?.getAttribute('rel')
    const ways = {
      first: () => this.jump(0), prev: () => this.step(-1), next: () => this.step(1), last: () => this.jump(this.length), difference: () => this.differ(),
    }
    if (ways[rel]) { event.preventDefault(); return ways[rel]() }
    const what = event.target.closest('[data-do]')?.dataset.do
    if (what === 'play') this.transport.toggle()
    else if (what === 'speed') this.transport.round()
  }

  /** Back and forward within this comparison are beats; to another they load it. */
  #pop() {
    const [here, self] = [location.href, new URL(this.dataset.self, location.href)].map(url => new URL(url))
    const same = ['kernels', 'fs', 'switch'].every(key => here.searchParams.getAll(key).join() === self.searchParams.getAll(key).join())
    const step = here.searchParams.get('step')
    if (same && here.pathname === self.pathname && step !== null) this.go(Number(step))
    else location.reload()
  }
}

function join(base, step) { return `${base}${base.includes('?') ? '&' : '?'}step=${step}` }

customElements.define('kernel-compare', KernelCompare)
