/**
 * What was clicked: its cells, with value, what it was, which step set it, which step uses it next; and the way of the bytes
 * that it holds. The server tells that way: a form asks it by htmx at `fault:bytes`, for a thing at a step.
 */
const BYTES = /^(slot|vpage|pteslot|tlbslot|mm|blockslot|diskslot|bit|lru|map|ledger)\//
const RESTING = 250
const SETTLED = ['htmx:afterSettle', 'htmx:after:settle']

/** Its sheet comes with it. */
const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL('../css/bytes.css', import.meta.url) })
document.head.append(sheet)
await new Promise(done => { sheet.onload = sheet.onerror = done })

export class Inspector {
  #soon
  #open = new Set()

  constructor(root, trace) {
    this.root = root
    this.trace = trace
    this.panel = root.querySelector('.inspector')
    this.form = this.panel.querySelector('form')
    this.entities = []
    for (const settled of SETTLED) this.panel.addEventListener(settled, () => this.#come())
  }

  /** Show the raw cells behind an element: what its view cells say they were made of, else its own. Of a store, its way alone. */
  select(element) {
    if (element.matches('.focus > div')) element = this.#behind(element)
    const ats = [element, ...element.querySelectorAll('[data-at]')].map(el => el.dataset.at)
    const raw = ats.flatMap(at => this.trace.value(`${at}.raw`)?.split(' ') ?? [])
    this.root.querySelector('[data-selected]')?.removeAttribute('data-selected')
    element.dataset.selected = ''
    this.entities = [...new Set(raw.length ? raw : ats.filter(at => !at.startsWith('was/')))]
    this.panel.hidden = false
    this.of = BYTES.test(ats[0]) ? ats[0] : ''
    this.isStore = this.of.startsWith('ledger/')
    if (this.isStore) this.entities = [this.of.replace('ledger/', 'store ')]
    this.panel.toggleAttribute('data-store', this.isStore)
    this.#open.clear()
    this.show(true)
    this.#inSight()
  }

  /** The thing of the picture that a card of the page in question stands for. */
  #behind(card) {
    const part = card.dataset.at.replace('focus/', '')
    const at = this.trace.value(`focus.${{ task: 'page', page: 'slot' }[part] ?? part}`)
    return this.root.querySelector(`[data-at="${at}"]`) ?? card
  }

  clear() {
    clearTimeout(this.#soon)
    this.root.querySelector('[data-selected]')?.removeAttribute('data-selected')
    this.entities = []
    this.of = ''
    this.panel.hidden = true
  }

  /** At another step the cells are others at once; what a thing holds is asked for when the hand rests. */
  show(now = false) {
    if (!this.entities.length) return
    this.panel.querySelector('.what').textContent = this.entities.join(' · ')
    const rows = this.entities.flatMap(at => this.trace.fields(at))
    this.panel.querySelector('tbody').replaceChildren(...rows.map(([field, cell]) => this.#row(field, this.trace.story(cell))))
    this.#mark()
    clearTimeout(this.#soon)
    if (now) this.#ask()
    else if (!this.isStore) this.#soon = setTimeout(() => this.#ask(), RESTING)
  }

  #ask() {
    const ways = this.panel.querySelector('.ways')
    if (!this.form) return
    if (this.form.elements.of.value !== this.of) ways.replaceChildren()
    this.form.elements.of.value = this.of
    this.form.elements.step.value = this.root.at
    if (this.of) this.form.dispatchEvent(new CustomEvent('fault:bytes'))
  }

  /** The way has come, or come again: what was opened stays open. */
  #come() {
    const chains = [...this.panel.querySelectorAll('.chain')]
    for (const chain of chains) {
      chain.open ||= this.#open.has(chain.dataset.store)
      chain.addEventListener('toggle', () => this.#open[chain.open ? 'add' : 'delete'](chain.dataset.store))
    }
    this.#mark()
    this.#inSight()
  }

  /** Which links lie back, and which forward; the last one back says how the bytes stand now. */
  #mark() {
    const held = document.activeElement
    for (const chain of this.panel.querySelectorAll('.chain')) {
      const [back, forward] = ['.back', '.forward'].map(list => chain.querySelector(list))
      const links = [...back.children, ...forward.children]
      const passed = links.filter(link => Number(link.dataset.n) <= this.root.at)
      if (passed.length !== back.children.length) {
        back.replaceChildren(...passed)
        forward.replaceChildren(...links.slice(passed.length))
      }
      for (const link of links) link.firstElementChild.toggleAttribute('aria-current', false)
      passed.at(-1)?.firstElementChild.setAttribute('aria-current', 'step')
    }
    if (held !== document.activeElement && this.panel.contains(held)) held.focus({ preventScroll: true })
  }

  #inSight() { this.panel.scrollIntoView({ block: 'nearest' }) }

  #row(field, { value, was, set, next, how }) {
    const row = document.createElement('tr')
    const name = document.createElement('th')
    name.scope = 'row'
    name.textContent = field
    row.append(name, cell(String(value)), cell(set ? `was ${was ?? 'none'}` : '', 'was'), cell(set && link(set, `set at ${set}`)), cell(next && link(next, `${how} at ${next}`)))
    return row
  }
}

function cell(content, name = '') {
  const td = document.createElement('td')
  td.className = name
  td.append(content ?? '')
  return td
}

function link(n, text) {
  const a = document.createElement('a')
  a.href = `?step=${n}`
  a.dataset.step = n
  a.textContent = text
  return a
}
