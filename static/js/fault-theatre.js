/**
 * <fault-theatre>: plays one trace, which comes after the page. Until it is there, and without this file, everything works
 * as plain links. It never fetches: htmx brings the trace as it brings the other parts.
 *
 * It tells its surroundings by the bubbling event `fault:step` ({at, event}), and mirrors the step in the address:
 * replaceState while stepping, pushState on a jump. It has the attribute data-ready as soon as it plays.
 */
import { Forks } from './forks.js'
import { offer, perform } from './keys.js'
import { Motion } from './motion.js'
import { blank, present, presenting, show } from './present.js'
import { Scene } from './scene.js'
import { Predict } from './predict.js'
import { Story } from './story.js'
import { Trace } from './trace.js'
import { acts, asked, Transport } from './transport.js'
import { Voice } from './voice.js'
import { pressed } from './waiting.js'

const RESTING = 120
/** What htmx 2 and htmx 4 say when a part is in its place, and when it does not come. */
const SETTLED = ['htmx:afterSettle', 'htmx:after:settle']
const FAILED = ['htmx:sendError', 'htmx:responseError', 'htmx:error', 'htmx:response:error']

/** Sharing comes when it is wanted. */
const sharing = () => import('./share.js')

/** What had the focus when another run was asked for: it gets it back when that run has come. */
let focused = ''
let replaced = false

class FaultTheatre extends HTMLElement {
  #leave = new AbortController()
  #wanted
  #early
  #soon
  #frame
  #rest = () => {}

  connectedCallback() {
    this.trace = this.inspector = undefined
    this.#wanted = undefined
    this.#leave = new AbortController()
    const { signal } = this.#leave
    this.forks = new Forks(this)
    this.voice = new Voice(this)
    this.addEventListener('click', event => this.#click(event), { signal })
    this.querySelector('#scrub').addEventListener('input', event => this.#scrub(event), { signal })
    for (const settled of SETTLED) this.addEventListener(settled, () => this.#settled(), { signal })
    for (const failed of FAILED) this.addEventListener(failed, event => this.#failed(event), { signal })
    window.addEventListener('popstate', event => this.#pop(event), { signal })
    this.#early = pressed(this, signal)
    show()
    this.querySelector(`[data-tab="${CSS.escape(asked('pane'))}"]`)?.click()
    this.#tell()
    this.#settled()
    requestAnimationFrame(refocus)
  }

  /** The trace is there. The picture shows its step already, as the server sent it. */
  #start(data) {
    const { signal } = this.#leave
    this.trace = new Trace(JSON.parse(data))
    this.scene = new Scene(this)
    this.trace.seek(Number(this.dataset.step))
    this.motion = new Motion(this.scene, this.trace, this.querySelector('.overlay'))
    this.transport = new Transport(this)
    this.story = new Story(this, signal)
    this.predict = new Predict(this)
    document.addEventListener('keydown', event => this.#firstWord(event), { signal, capture: true })
    document.addEventListener('fullscreenchange', () => this.#keepInSight(), { signal })
    offer(this.#acts(), signal)
    this.go(this.#wanted ?? this.at)
    this.story.arrived()
    this.dataset.ready = ''
    this.#early()
  }

  disconnectedCallback() {
    replaced = true
    this.transport?.pause()
    this.story?.halt()
    this.motion?.cancel()
    this.#leave.abort()
    clearTimeout(this.#soon)
    cancelAnimationFrame(this.#frame)
  }

  get at() { return this.trace?.at ?? Number(this.dataset.step) }
  get length() { return this.trace?.length ?? Number(this.querySelector('#scrub').max) }
  get zoom() { return this.dataset.zoom }
  get next() { return this.predict.upTo(this.trace.beside(1, this.zoom)) }

  /**
   * Show a step; where the trace is not there yet, as soon as it is. One step forward is also played, unless motion is off;
   * everything else is instant.
   */
  async go(to, { address = 'replace', played = false } = {}) {
    if (!this.trace) { this.#wanted = to; return }
    this.motion.cancel()
    const forward = to === this.at + 1
    if (forward) this.motion.before(to)
    this.scene.show(this.trace.seek(to))
    this.#mirror(address)
    this.inspector?.show()
    this.#keepInSight()
    this.querySelector('#caption').setAttribute('aria-live', played ? 'off' : 'polite')
    this.#tell()
    if (forward) await this.motion.after(this.transport.rate)
    this.dataset.settled = this.at
  }

  get event() { return this.trace ? this.trace.step()?.event ?? '' : this.querySelector('#here').value }

  #tell() { this.dispatchEvent(new CustomEvent('fault:step', { bubbles: true, detail: { at: this.at, event: this.event } })) }

  step(by) {
    this.transport.pause()
    if (by > 0 && this.predict.holds) this.predict.nudge()
    else this.go(by > 0 ? this.next : this.trace.beside(by, this.zoom))
  }

  jump(to) { this.transport.pause(); this.go(to, { address: 'push' }) }
  fault(direction) { return this.predict.upTo(this.trace.fault(direction)) }

  /** How far one press goes from now on; without a word the next of the three. */
  by(zoom) {
    const links = [...this.querySelectorAll('.zoom [data-zoom]')]
    const now = links.findIndex(link => link.dataset.zoom === this.zoom)
    const chosen = links.find(link => link.dataset.zoom === zoom) ?? links[(now + 1) % links.length]
    this.dataset.zoom = chosen.dataset.zoom
    for (const link of links) link.toggleAttribute('aria-current', false)
    chosen.setAttribute('aria-current', 'true')
    this.querySelector('#zoom b').textContent = chosen.querySelector('b').textContent
    chosen.closest('details').open = false
    this.#mirror('replace')
  }

  /** Open a menu of the time bar, or close it: what-if, or foresight where there is one. */
  unfold(id) {
    const summary = this.querySelector(id)
    if (!summary) return
    this.transport.pause()
    summary.parentElement.open = !summary.parentElement.open
    summary.focus()
  }

  /** What can be done here, by the names that app/keys.py gives: keys, buttons and the palette do it. */
  #acts() {
    const { transport } = this
    return {
      ...acts(this),
      play: () => this.predict.holds ? this.predict.nudge() : transport.toggle(),
      speed: () => transport.round(),
      zoom: () => this.by(),
      voice: () => this.voice.toggle(),
      predict: () => this.predict.toggle(),
      'what-if': () => this.unfold('#what-if'),
      foresight: () => this.unfold('#foresee'),
      present: () => this.#present(!presenting()),
      blank: () => { transport.pause(); blank() },
      share: () => this.#share(),
      copy: async () => (await sharing()).copyStep(this.#here()),
      unselect: () => this.inspector?.clear(),
      leave: () => { this.inspector?.clear(); if (presenting()) this.#present(false) },
    }
  }

  #here() { return this.querySelector('[data-do="share"]').getAttribute('href') }

  async #share() {
    const run = this.querySelector('.controls [rel="first"]').getAttribute('href')
    const { share } = await sharing()
    share(this.querySelector('#share'), { step: this.#here(), run, at: this.at })
  }

  /** Large type and nothing but the picture; on the whole screen where the browser allows it. */
  #present(on) {
    present(on)
    this.#keepInSight()
  }

  /** The transport tells what it does. */
  said({ playing, rate }) {
    this.querySelector('[data-do="play"]').setAttribute('aria-label', playing ? 'Pause' : 'Play')
    this.querySelector('[data-do="speed"]').textContent = `${rate < 1 ? { 0.25: '¼', 0.5: '½' }[rate] : rate}×`
  }

  /** The speed is another. */
  paced() { this.#mirror('replace') }

  /** How the run is told, as its address says it; null takes a word away. */
  tell(changes) {
    const [path, query = ''] = this.dataset.self.split('?')
    const kept = query.split('&').filter(part => part && !Object.hasOwn(changes, part.split('=')[0]))
    const said = Object.entries(changes).filter(([, value]) => value).map(([name, value]) => `${name}=${value}`)
    const parts = [...kept, ...said]
    this.dataset.self = parts.length ? `${path}?${parts.join('&')}` : path
    for (const [name, value] of Object.entries(changes)) Object.assign(this.querySelector(`.told[name="${name}"]`), { value: value ?? '', disabled: !value })
    this.#mirror('replace')
  }

  /** Everything outside the cells that names the step: the address, links, the scrubber. */
  #mirror(address) {
    const { at, event } = this
    const zoom = this.zoom === 'step' ? '' : `&zoom=${this.zoom}`
    const pane = this.dataset.pane === 'picture' ? '' : `&pane=${this.dataset.pane}`
    const here = join(this.dataset.self, `step=${at}${zoom}${pane}${this.transport.told}`)
    for (const [rel, n] of [['first', 0], ['prev', this.trace.beside(-1, this.zoom)], ['next', this.next], ['last', this.length]]) {
      const link = this.querySelector(`.controls [rel="${rel}"]`)
      const to = Math.max(0, Math.min(n, this.length))
      link.setAttribute('href', join(this.dataset.self, `step=${to}${zoom}`))
      link.toggleAttribute('aria-disabled', false)
      if (to === at) link.setAttribute('aria-disabled', 'true')
    }
    this.#keepMeaning()
    this.querySelector('[data-do="share"]').setAttribute('href', here)
    this.querySelector('#here').setAttribute('value', event)
    this.forks.at(at)
    const scrub = this.querySelector('#scrub')
    scrub.setAttribute('value', at)
    scrub.value = at
    this.#sayTime()
    this.dataset.step = at
    this.toggleAttribute('data-ended', at === this.length)
    this.#address(here, address)
  }

  /** What a screen reader says of the scrubber: the step, and its outlook where foresight is there. */
  #sayTime() {
    const seen = [...this.querySelectorAll('#outlook [data-says]')].find(({ dataset }) => this.at && this.at <= dataset.last)
    this.querySelector('#scrub').setAttribute('aria-valuetext', [this.trace.value('time.valuetext'), seen?.dataset.says].filter(Boolean).join(', '))
  }

  /** A part has come that was not needed at first: the trace, what other kernels do, the functions of this one, all steps. */
  #settled() {
    const come = this.trace ? undefined : this.querySelector('script[data-trace]')
    if (come) this.#start(come.textContent)
    if (!this.trace) return
    this.#keepMeaning()
    this.#sayTime()
    for (const part of this.querySelectorAll('.later:not([data-adopted])')) {
      part.dataset.adopted = ''
      this.scene.adopt(part, this.trace.cells)
    }
    this.#keepInSight()
  }

  /** The trace does not come. Nothing on the page needs it. */
  #failed(event) {
    if (event.target.matches('[data-awaited]')) document.querySelector('#toast').textContent = 'No connection: each step is a page of its own for now.'
  }

  /** Links to other kernels lead to what happens here, told as here; those that come late are told as well. */
  #keepMeaning() {
    const told = [...this.querySelectorAll('.told:enabled')].map(({ name, value }) => `${name}=${value}`)
    const meaning = [...told, ...this.event ? [`at=${this.event.replaceAll('#', '%23')}`] : []].join('&')
    for (const link of this.querySelectorAll('a[data-keep]')) link.setAttribute('href', join(link.getAttribute('hx-get'), meaning))
  }

  /** The address follows: at once on a jump, else when the hand rests; browsers bear only so many changes a second. */
  #address(run, how) {
    const room = document.querySelector('[data-room]')?.dataset.room
    const [here, state] = [room ?? run, { fault: this.at }]
    if (room) how = 'replace'
    if (how === 'push') {
      this.#rest()
      return history.pushState(state, '', here)
    }
    clearTimeout(this.#soon)
    this.#rest = () => {
      clearTimeout(this.#soon)
      if (location.pathname + location.search !== here) history.replaceState({ ...history.state, ...state }, '', here)
      this.#rest = () => {}
    }
    this.#soon = setTimeout(() => this.#rest(), RESTING)
  }

  #click(event) {
    const link = event.target.closest('a')
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    if (link?.hasAttribute('hx-get')) focused = (link.closest('details')?.querySelector('summary') ?? link).id
    const offer = event.target.closest('button[name="if"]')
    if (offer) return this.forks.asked(offer)
    const tab = event.target.closest('[data-tab]')
    if (tab) return this.#tab(tab)
    if (!this.trace) return
    if (link && ['first', 'prev', 'next', 'last'].includes(link.rel)) return this.#follow(event, link.rel)
    if (link?.dataset.zoom) { event.preventDefault(); return this.by(link.dataset.zoom) }
    if (this.story.click(event.target.closest('.storyline [data-story], a[data-story]'))) return event.preventDefault()
    if (link?.dataset.choice) { event.preventDefault(); return this.predict.answer(Number(link.dataset.choice)) }
    if (link?.dataset.voice) { event.preventDefault(); return this.voice.choose(link.dataset.voice) }
    const step = link?.dataset.step ?? link?.getAttribute('href').match(/^\?step=(\d+)$/)?.[1]
    if (step) { event.preventDefault(); return this.jump(Number(step)) }
    const button = event.target.closest('[data-copy]')
    if (button) return sharing().then(({ copy }) => copy(this.querySelector('#share'), button))
    const what = event.target.closest('[data-do]')?.dataset.do
    if (what) return this.#do(what, event)
    const tile = link?.dataset.bytes ? this.querySelector(`[data-at="${link.dataset.bytes}"]`) : event.target.closest('.tile, .bits > li, .tlb, .pgd, .ledger .row[data-at], .focus > div')
    if (tile && link) event.preventDefault()
    if (tile?.matches('.focus > div') || tile && link && !event.detail) this.inspect(tile)
    else if (tile) this.#select(tile)
  }

  /** The inspector comes when something is to be looked at. */
  async #select(tile) {
    const { Inspector } = await import('./inspector.js')
    this.inspector ??= new Inspector(this, this.trace)
    this.inspector.select(tile)
  }

  /** As a click on a tile, without one: the focus goes to what is shown. */
  async inspect(tile) {
    if (this.dataset.pane === 'picture' && matchMedia('(max-width: 43.99rem)').matches) this.#tab(this.querySelector('[data-tab="stores"]'))
    await this.#select(tile)
    this.querySelector('.inspector button').focus()
  }

  #follow(event, rel) {
    event.preventDefault()
    if (rel === 'next') this.step(1)
    else if (rel === 'prev') this.step(-1)
    else this.jump(rel === 'first' ? 0 : this.length)
  }

  /** What a button does; the few that every page has see to themselves. */
  #do(what, event) {
    if (what === 'help' || what === 'palette') return
    event.preventDefault()
    perform(what)
  }

  #tab(tab) {
    this.dataset.pane = tab.dataset.tab
    for (const other of this.querySelectorAll('[data-tab]')) other.toggleAttribute('aria-current', false)
    tab.setAttribute('aria-current', 'true')
    if (!this.trace) return
    this.#mirror('replace')
    this.#keepInSight()
    if (this.dataset.pane === 'events') this.querySelector('.events [data-now]')?.scrollIntoView({ block: 'center' })
  }

  #scrub(event) {
    this.transport?.pause()
    this.go(Number(event.target.value))
  }

  /** While a story is told, or a question is asked, they have the first word. */
  #firstWord(event) {
    const act = this.predict.key(event) ?? this.story.key(event)
    if (!act) return
    event.preventDefault()
    act()
  }

  /** Back and forward within this run are steps; to another run they load it. htmx sees to its own entries. */
  #pop(event) {
    const url = new URL(location.href)
    const here = new URL(this.dataset.self, location.href)
    const same = url.pathname === here.pathname && ['fs', 'switch'].every(key => url.searchParams.get(key) === here.searchParams.get(key))
    if (same) this.go(Number(url.searchParams.get('step') ?? event.state?.fault ?? 0))
    else if (!event.state?.htmx) location.reload()
  }

  /** Scroll the lists, and only them, so that the present line is in view whole, with what led to it, and no line is cut. */
  #keepInSight() {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      const task = this.trace.step()?.task
      const script = task && this.querySelector(`.task[data-at="task/${task}"]`)
      const pane = script?.closest('section')
      if (pane && pane.scrollHeight > pane.clientHeight + 1) pane.scrollTop = script.offsetTop + script.offsetHeight - pane.offsetTop > pane.clientHeight ? pane.scrollHeight : 0
      for (const line of this.querySelectorAll('.events [data-now], .steps [data-now]')) {
        const list = line.closest('ol')
        if (list.scrollHeight <= list.clientHeight) continue
        const row = line.firstElementChild.offsetHeight
        const top = line.offsetTop - list.firstElementChild.offsetTop
        const rest = list.clientHeight - line.offsetHeight
        const above = Math.min(3 * row, Math.max(0, Math.floor(rest / 2 / row) * row))
        if (top < list.scrollTop + Math.min(row, above) || top > list.scrollTop + rest - Math.min(row, above)) list.scrollTop = top - above
      }
    })
  }
}

function join(base, query) { return query ? `${base}${base.includes('?') ? '&' : '?'}${query}` : base }

/** What is swapped goes after what replaces it has come, so the focus is free only now. */
function refocus() {
  const lost = (focused || replaced) && document.activeElement === document.body
  if (lost) (document.getElementById(focused) ?? document.querySelector('#picture')).focus({ preventScroll: true })
  focused = ''
  replaced = false
}

customElements.define('fault-theatre', FaultTheatre)
