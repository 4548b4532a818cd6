/**
 * The futures of a sitting: each run that was forked from another in this tab, kept in sessionStorage and drawn as a tree.
 * A future is {url, from, step, title, outcome}; `from` is the url it was forked from, empty for where the sitting began.
 */
const KEY = 'pagefate.futures'
const MOST = 40
const SHAPE = '<i class="shape"></i>'

export class Forks {
  constructor(theatre) {
    this.theatre = theatre
    this.form = theatre.querySelector('.what-if form')
    const futures = this.#arrive(read())
    write(futures)
    this.#draw(futures)
  }

  /** The address of this run, however it is told. */
  get #self() {
    const [path, query = ''] = this.theatre.dataset.self.split('?')
    const said = query.split('&').filter(part => part && !/^(voice|story|predict)=/.test(part)).join('&')
    return said ? `${path}?${said}` : path
  }

  /** What is about to be asked for, at which step. */
  asked(button) {
    write({ ...read(), asked: { from: this.#self, step: this.theatre.at, title: button.textContent, outcome: this.theatre.dataset.outcome } })
  }

  /** The step that the form asks from. Who runs there runs anyway; while what was asked for goes on, nothing else can happen. */
  at(step) {
    const { trace } = this.theatre
    const called = this.form.dataset.onCall.split(' ')
    const task = trace.step(step || 1)?.task
    const busy = step > 0 && called.includes(task)
    const field = this.form.querySelector('[name="step"]')
    const moved = field.value !== String(step)
    field.value = step
    this.form.toggleAttribute('data-first', step === 0)
    this.form.toggleAttribute('data-busy', busy)
    for (const button of this.form.querySelectorAll('button')) button.disabled = busy || button.dataset.task === task
    if (moved && this.form.parentElement.open) this.#look()
    const link = this.form.querySelector('.busy a')
    if (!link) return
    let done = step + 1
    while (called.includes(trace.step(done)?.task)) done++
    link.hidden = done > trace.length
    link.setAttribute('data-step', done)
  }

  /** Who can run is another question at each step: it is asked again when the hand rests. */
  #look() {
    clearTimeout(this.soon)
    for (const button of this.form.querySelectorAll('.ahead button')) button.disabled = true
    this.soon = setTimeout(() => this.form.querySelector('.ahead')?.dispatchEvent(new CustomEvent('fault:ahead')), 150)
  }

  /** This run is a future if it was asked for, and the beginning of a tree if it was forked from. */
  #arrive({ asked, list = [] }) {
    const { outcome } = this.theatre.dataset
    const self = this.#self
    const known = url => list.some(each => each.url === url)
    if (asked && asked.from !== self) {
      if (!known(asked.from)) list.push({ url: asked.from, from: '', step: 0, title: 'as it was', outcome: asked.outcome ?? '' })
      if (!known(self)) list.push({ url: self, from: asked.from, step: asked.step, title: asked.title })
    }
    for (const each of list) if (each.url === self) each.outcome = outcome
    return { list: list.slice(-MOST) }
  }

  #draw({ list }) {
    const self = this.#self
    const root = this.#root(list, self)
    const section = this.theatre.querySelector('.futures')
    section.hidden = !root
    if (!root) return
    section.querySelector('ol').replaceChildren(this.#branch(list, root, self))
    this.theatre.querySelector('#what-if').dataset.count = this.#count(list, root)
  }

  #root(list, url) {
    const found = list.find(each => each.url === url)
    return found?.from ? this.#root(list, found.from) ?? found : found
  }

  #count(list, node) { return 1 + list.filter(each => each.from === node.url).reduce((sum, each) => sum + this.#count(list, each), 0) }

  #branch(list, node, self) {
    const item = document.createElement('li')
    const link = document.createElement('a')
    const forked = list.filter(each => each.from === node.url)
    link.href = address(node.url, node.from ? node.step + 1 : forked[0]?.step ?? 0)
    if (node.url === self) link.setAttribute('aria-current', 'true')
    link.dataset.fate = node.outcome ?? ''
    link.innerHTML = `${SHAPE}<b></b><span></span>`
    link.querySelector('b').textContent = node.title
    link.querySelector('span').textContent = node.from ? `from step ${node.step}` : ''
    item.append(link)
    if (forked.length) {
      const inner = document.createElement('ol')
      inner.append(...forked.map(each => this.#branch(list, each, self)))
      item.append(inner)
    }
    return item
  }
}

function address(url, step) { return `${url}${url.includes('?') ? '&' : '?'}step=${step}` }

function read() {
  try { return JSON.parse(sessionStorage.getItem(KEY)) ?? {} } catch { return {} }
}

function write(futures) {
  try { sessionStorage.setItem(KEY, JSON.stringify(futures)) } catch { /* A browser that keeps nothing draws no tree. */ }
}
