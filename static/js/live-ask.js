/** The card of a question: choices to vote for, and for who drives, and for all when the answer is shown, what was said. */
export class Ask {
  #key
  #mine

  constructor(card, { vote }) {
    this.card = card
    this.items = [...card.querySelectorAll('li')]
    card.addEventListener('submit', event => {
      event.preventDefault()
      vote(Number(event.submitter.value))
    })
  }

  /** What has become of this browser's vote. */
  said(choice, words) {
    if (choice !== undefined) this.#mine = choice
    this.#mark()
    this.card.querySelector('.voted').textContent = words
  }

  show(ask, { driver, over }) {
    this.card.hidden = !ask
    if (!ask) { this.#key = undefined; return }
    const key = `${ask.step} ${ask.text}`
    if (key !== this.#key) {
      this.#mine = undefined
      this.card.querySelector('.voted').textContent = ''
      this.card.querySelector('h2').textContent = ask.text
    }
    this.#key = key
    const told = ask.right !== undefined
    const all = ask.counts?.reduce((sum, count) => sum + count, 0) ?? 0
    this.card.toggleAttribute('data-told', told)
    this.card.toggleAttribute('data-counted', Boolean(ask.counts))
    for (const [i, item] of this.items.entries()) {
      item.hidden = i >= ask.choices.length
      item.toggleAttribute('data-right', told && i === ask.right)
      const button = item.querySelector('button')
      button.textContent = ask.choices[i] ?? ''
      button.disabled = told || driver || over
      const meter = item.querySelector('meter')
      meter.max = Math.max(1, all)
      meter.value = ask.counts?.[i] ?? 0
      item.querySelector('.votes').textContent = ask.counts ? ask.counts[i] : ''
    }
    this.#mark()
    if (driver) this.card.querySelector('.voted').textContent = all === 1 ? '1 has answered.' : `${all} have answered.`
    else if (told && this.#mine !== undefined) this.card.querySelector('.voted').textContent = this.#mine === ask.right ? 'You were right.' : 'Not so, this time.'
  }

  #mark() { for (const [i, item] of this.items.entries()) item.toggleAttribute('data-mine', i === this.#mine) }
}
