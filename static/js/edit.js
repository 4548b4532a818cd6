/**
 * The editor's own part: line numbers, tints, completion, undo, what is remembered in this browser. What is right or wrong
 * the server says; this file only puts it beside the lines.
 */
import { offer } from './keys.js'
import { Completion } from './edit-complete.js'
import { lines, mirror } from './edit-mirror.js'
import { Memory } from './edit-memory.js'
import { indent, insert, replaceAll, undo } from './edit-text.js'

const desk = document.querySelector('#desk')
const field = desk.querySelector('#scenario')
const code = desk.querySelector('.code')
const result = document.querySelector('#result')
const saved = document.querySelector('#saved')
const start = field.value
const words = JSON.parse(document.querySelector('#words').textContent)
const memory = new Memory(`edit:${desk.dataset.name}`)
const completion = new Completion(field, desk.querySelector('#completions'), desk.querySelector('#hint'), words)
const checked = () => desk.querySelector('#checked')

/** Line numbers, tints, and which lines are wrong. */
function draw() {
  const wrong = new Set([...checked().querySelectorAll('[data-line]')].map(el => Number(el.dataset.line)))
  mirror(code.querySelector('.mirror'), field.value, wrong)
  lines(desk.querySelector('.gutter'), field.value, wrong)
  for (const note of checked().querySelectorAll('[data-line]')) {
    note.style.setProperty('inset-block-start', `calc(.8rem + var(--line) * ${note.dataset.line - 1})`)
  }
  field.setAttribute('aria-invalid', String(wrong.size > 0))
}

/** What the server has said: names to complete, and the text if a form has changed it. */
function heard() {
  const { names, text } = checked().dataset
  if (JSON.parse(names).tasks.length) completion.names = JSON.parse(names)
  if (text !== undefined) {
    delete checked().dataset.text
    replaceAll(field, text)
  }
  draw()
}

function goTo(place) {
  const [line, column] = place.split(':').map(Number)
  const before = field.value.split('\n').slice(0, line - 1)
  const at = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1
  field.focus()
  field.setSelectionRange(at, at)
  field.scrollIntoView({ block: 'nearest' })
}

const acts = {
  undo: () => undo(field),
  start: () => replaceAll(field, start),
  restore: () => { replaceAll(field, memory.text); saved.hidden = true; field.focus() },
  forget: () => { memory.forget(); saved.hidden = true; field.focus() },
  copy: async button => {
    const shared = document.querySelector('#shared')
    shared.select()
    const done = await navigator.clipboard?.writeText(shared.value).then(() => true, () => false)
    button.textContent = done ? 'Copied' : 'Selected'
  },
}

document.addEventListener('click', event => {
  const button = event.target.closest('[data-edit]')
  const place = event.target.closest('[data-goto]')
  if (button) acts[button.dataset.edit](button)
  if (!place) return
  event.preventDefault()
  goTo(place.dataset.goto)
})

field.addEventListener('input', event => {
  memory.keep(field.value, start)
  draw()
  completion.typed(event)
})
field.addEventListener('keydown', event => {
  if (completion.key(event)) return event.preventDefault()
  if (event.key === 'Escape') { event.preventDefault(); desk.querySelector('#run').focus() }
  if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && !event.isComposing) {
    event.preventDefault()
    insert(field, indent(field))
  }
})
for (const kind of ['click', 'keyup']) field.addEventListener(kind, () => completion.hintHere())
field.addEventListener('blur', () => completion.close())
offer({ run: () => desk.querySelector('#run').click(), complete: () => completion.open() })

document.addEventListener('htmx:afterSwap', event => {
  if (event.detail.target !== result) return heard()
  result.focus({ preventScroll: true })
  result.scrollIntoView({ block: 'start' })
})
for (const kind of ['htmx:responseError', 'htmx:sendError', 'htmx:timeout']) {
  document.addEventListener(kind, event => {
    const status = event.detail.xhr?.status
    const why = { 413: 'the text is too long', 429: 'too many questions at once', 503: 'others are being served just now' }[status] ?? 'the server does not answer'
    desk.querySelector('#verdict').textContent = `That did not work: ${why}. Your text is safe in this browser; it is tried again when you type.`
  })
}

if (memory.text !== null && memory.text !== start) {
  saved.querySelector('span').textContent = `This browser has what you wrote here${memory.when}.`
  saved.hidden = false
}
code.dataset.mirrored = ''
heard()
