/** The cells of what was clicked: value, what it was, which step set it, which step uses it next. */
export class Inspector {
  constructor(root, trace) {
    this.root = root
    this.trace = trace
    this.panel = root.querySelector('.inspector')
    this.entities = []
  }

  /** Show the raw cells behind an element: what its view cells say they were made of, else its own. */
  select(element) {
    const ats = [element, ...element.querySelectorAll('[data-at]')].map(el => el.dataset.at)
    const raw = ats.flatMap(at => this.trace.value(`${at}.raw`)?.split(' ') ?? [])
    this.entities = [...new Set(raw.length ? raw : ats)]
    this.root.querySelector('[data-selected]')?.removeAttribute('data-selected')
    element.dataset.selected = ''
    this.panel.hidden = false
    this.show()
  }

  clear() {
    this.root.querySelector('[data-selected]')?.removeAttribute('data-selected')
    this.entities = []
    this.panel.hidden = true
  }

  show() {
    if (!this.entities.length) return
    this.panel.querySelector('.what').textContent = this.entities.join(' · ')
    const rows = this.entities.flatMap(at => this.trace.fields(at))
    this.panel.querySelector('tbody').replaceChildren(...rows.map(([field, cell]) => this.#row(field, this.trace.story(cell))))
  }

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
