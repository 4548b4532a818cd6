/**
 * Predict: the page asks before it shows. The question is in the cells of the step before, the answer in those of the
 * step itself; the trace says which choice was right. What was answered is kept for the session, and nowhere else.
 */
export class Predict {
  constructor(theatre) {
    this.theatre = theatre
    this.asks = theatre.trace.asks
    theatre.addEventListener('fault:step', () => this.#show())
  }

  get on() { return this.theatre.hasAttribute('data-predict') }
  get #panel() { return this.theatre.querySelector('.predict') }
  get #key() { return `predict ${this.theatre.dataset.self.split('?')[0]}` }

  /** Whether the next step has to be predicted first. */
  get holds() { return this.on && this.asks.has(this.theatre.at + 1) && !(this.theatre.at + 1 in this.#said()) }

  /** How far a way forward to a step leads: to the next question that was not answered, and no further. */
  upTo(to) {
    const { at } = this.theatre
    const said = this.#said()
    const ask = this.on && [...this.asks.keys()].find(step => step > at && step <= to && !(step in said))
    return ask ? Math.max(ask - 1, at + 1) : to
  }

  toggle() {
    const on = this.theatre.toggleAttribute('data-predict')
    if (on) { this.theatre.story.halt(); this.theatre.toggleAttribute('data-story', false) }
    this.theatre.tell(on ? { story: null, predict: '1' } : { predict: null })
    this.#show()
  }

  answer(choice) {
    const step = this.theatre.at + 1
    const said = this.#said()
    if (!this.holds || this.theatre.trace.value(`ask.c${choice}`) === null) return
    try { sessionStorage.setItem(this.#key, JSON.stringify({ ...said, [step]: choice })) } catch { this.kept = { ...said, [step]: choice } }
    this.theatre.go(step, { address: 'push' })
  }

  /** The hand wants on, but there is a question: it gets the focus. */
  nudge() { this.#panel.querySelector('[data-choice="0"]').focus() }

  key(event) {
    if (!this.holds || event.ctrlKey || event.metaKey || event.altKey) return undefined
    const choice = '1234'.indexOf(event.key)
    return event.key.length === 1 && choice >= 0 ? () => this.answer(choice) : undefined
  }

  #said() {
    try { return JSON.parse(sessionStorage.getItem(this.#key)) ?? this.kept ?? {} } catch { return this.kept ?? {} }
  }

  #show() {
    const said = this.#said()
    const panel = this.#panel
    panel.toggleAttribute('data-answered', this.theatre.at + 1 in said)
    if (this.holds) this.theatre.transport.pause()
    const answered = Object.entries(said)
    const right = answered.filter(([step, choice]) => this.asks.get(Number(step)) === choice).length
    panel.querySelector('.score').textContent = answered.length ? `${right} of ${answered.length} right` : ''
    const here = said[this.theatre.at]
    panel.querySelector('.verdict').textContent = here === undefined ? '' : here === this.asks.get(this.theatre.at) ? 'Right:' : 'Not so:'
    panel.dataset.right = here === undefined ? '' : String(here === this.asks.get(this.theatre.at))
  }
}
