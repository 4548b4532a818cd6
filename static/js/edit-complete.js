/** Completion: what may stand where the caret is, and what a call takes. The words are the engine's, the names the text's. */
import { insert } from './edit-text.js'
import { offers, callAround } from './edit-offers.js'

const ENOUGH = 2

export class Completion {
  constructor(field, list, hint, words) {
    Object.assign(this, { field, list, hint, words, names: { file: [], tasks: [], task: [], user: [] }, chosen: -1 })
    this.usual = [...hint.childNodes]
    field.setAttribute('aria-autocomplete', 'list')
    field.setAttribute('aria-controls', list.id)
    list.addEventListener('mousedown', event => {
      event.preventDefault()
      const at = [...list.children].indexOf(event.target.closest('[role=option]'))
      if (at >= 0) this.take(at)
    })
  }

  get before() { return this.field.value.slice(0, this.field.selectionStart) }

  /** Show what fits; the first is chosen if somebody asked. */
  open(asked = true) {
    const { found, typed } = offers(this.field.value, this.field.selectionStart, this.words, this.names)
    const plain = found.filter(each => each.word !== typed)
    if (!plain.length || (!asked && typed.length < ENOUGH)) return this.close()
    this.found = plain
    this.size = typed.length
    this.list.replaceChildren(...plain.map((each, n) => option(each, n)))
    const line = this.before.split('\n')
    this.list.style.setProperty('--row', line.length - 1)
    this.list.style.setProperty('--col', line.at(-1).length - typed.length)
    this.list.hidden = false
    this.choose(asked ? 0 : -1)
  }

  close() {
    this.list.hidden = true
    this.chosen = -1
    this.field.removeAttribute('aria-activedescendant')
  }

  choose(at) {
    this.chosen = at
    for (const [n, each] of [...this.list.children].entries()) each.setAttribute('aria-selected', String(n === at))
    const one = this.list.children[at]
    if (one) this.field.setAttribute('aria-activedescendant', one.id)
    else this.field.removeAttribute('aria-activedescendant')
    one?.scrollIntoView({ block: 'nearest' })
  }

  take(at) {
    const { insert: text } = this.found[at]
    const end = this.field.selectionStart
    this.close()
    this.field.setSelectionRange(end - this.size, end)
    insert(this.field, text)
    this.hintHere()
  }

  /** Whether the key was ours. */
  key(event) {
    if (this.list.hidden) return false
    const count = this.found.length
    switch (event.key) {
      case 'ArrowDown': this.choose((this.chosen + 1) % count); return true
      case 'ArrowUp': this.choose((this.chosen + count - (this.chosen < 0 ? 0 : 1)) % count); return true
      case 'Escape': this.close(); return true
      case 'Tab': if (!event.shiftKey) { this.take(Math.max(this.chosen, 0)); return true } return false
      case 'Enter': if (this.chosen >= 0) { this.take(this.chosen); return true } this.close(); return false
      case 'ArrowLeft': case 'ArrowRight': case 'Home': case 'End': this.close(); return false
      default: return false
    }
  }

  typed(event) {
    if (event.inputType === 'insertText' && /\w$/.test(this.before)) this.open(false)
    else if (!this.list.hidden && event.inputType !== 'insertText') this.close()
    else if (!this.list.hidden) this.open(false)
    this.hintHere()
  }

  /** The call around the caret, its present argument marked, and what it does. */
  hintHere() {
    const around = callAround(this.before, this.words.calls)
    if (!around) return this.hint.replaceChildren(...this.usual)
    const code = document.createElement('code')
    code.append(`${around.call.name}(`)
    for (const [n, each] of around.call.arguments.entries()) {
      const part = document.createElement(n === around.at ? 'b' : 'span')
      part.textContent = each.name
      code.append(n ? ', ' : '', part)
    }
    code.append(')')
    this.hint.replaceChildren(code, ` ${around.call.says} For example: `, Object.assign(document.createElement('code'), { textContent: around.call.example }))
  }
}

function option({ label, says }, n) {
  const item = document.createElement('li')
  item.id = `completion-${n}`
  item.setAttribute('role', 'option')
  item.append(Object.assign(document.createElement('code'), { textContent: label }))
  if (says) item.append(Object.assign(document.createElement('span'), { textContent: says }))
  return item
}
