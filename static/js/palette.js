/**
 * The command palette: every action of the overlay, every step of the run, every place the page leads to. What is found has
 * all the words typed, best first. A combobox with a listbox, by the ARIA pattern: the focus stays in the field.
 */
import { can, perform } from './keys.js'

const MOST = 40
const PAGE = 8
const ORDER = { action: 0, place: 1, thing: 2, step: 3 }
const WORDS = { step: 'Step: a number, a name, an event', place: 'Scenario, kernel, filesystem', thing: 'Page, entry, frame, block' }

const dialog = document.querySelector('#palette')
const field = dialog.querySelector('#palette-field')
const list = dialog.querySelector('#palette-list')
const said = dialog.querySelector('#palette-said')

let entries = []
let shown = []
let at = 0

/** @typedef {{kind: 'action'|'step'|'place'|'thing', group: string, text: string, note: string, run: () => void}} Entry */

/** Find what there is now, for what was typed so far; and do it, if that was `entered` already. */
export function fill(kind, entered) {
  entries = [...actions(), ...steps(), ...places(), ...things()].filter(entry => !kind || entry.kind === kind)
  field.placeholder = WORDS[kind] ?? 'Action, step or place'
  find()
  if (entered && shown.length) choose(0)
}

function actions() {
  const rows = [...document.querySelectorAll('#help [data-palette]')].filter(row => can(row.dataset.act) && row.dataset.act !== 'find')
  const off = document.querySelector('#help').hasAttribute('data-no-single')
  const keys = row => [...row.querySelectorAll(off ? '[data-key]:not([data-single])' : '[data-key]')].map(key => key.textContent).join(' ')
  return [
    ...rows.map(row => entry('action', '', row.querySelector('dd').textContent, keys(row), () => perform(row.dataset.act))),
    ...[...document.querySelectorAll('body :is(a, input, button)[data-palette]')].map(el => entry('action', '', el.dataset.palette, '', () => el.click())),
  ]
}

function steps() {
  const theatre = document.querySelector('fault-theatre')
  const trace = theatre?.trace
  return Array.from({ length: trace?.length ?? 0 }, (_, i) => {
    const { task, fn, name, event } = trace.step(i + 1)
    return entry('step', 'step', `${i + 1} ${task} ${fn} ${name}`, event, () => theatre.jump(i + 1))
  })
}

/** The menus of a run; elsewhere whatever the page leads to, each address once. */
function places() {
  const links = [...document.querySelectorAll('fault-theatre .menu a[href], main.page a[href]:not([href^="#"])')]
  const once = new Map(links.map(link => [link.getAttribute('href'), link]))
  return [...once.values()].map(link => {
    const group = link.closest('nav')?.getAttribute('aria-label')?.replace(/s$/, '').toLowerCase() ?? 'page'
    const name = (link.querySelector('b') ?? link).textContent.trim()
    const code = link.querySelector('code')?.textContent ?? ''
    return entry('place', group, [code, name].filter(Boolean).join(' '), link.querySelector('span')?.textContent ?? '', () => link.click())
  }).filter(({ text }) => text)
}

const NAMES = { vpage: 'address', mm: 'entry', pteslot: 'entry', tlbslot: 'TLB', slot: 'page cache', blockslot: 'block', diskslot: 'disk', bit: 'block', table: 'page table' }

/** What a click in the picture inspects, for who has no pointer. */
function things() {
  const theatre = document.querySelector('fault-theatre')
  return [...document.querySelectorAll('fault-theatre[data-ready] :is(svg.scene :is(.tile, .tlb, .pgd), .bits > li[data-at^="bit/"])')].map(el => {
    const [kind, ...rest] = el.dataset.at.split('/')
    const place = kind === 'mm' ? rest.filter(part => part !== 'pte') : rest
    return entry('thing', NAMES[kind] ?? 'thing', `${NAMES[kind] ?? kind} ${place.join(' ')}`, el.dataset.at, () => theatre.inspect(el))
  })
}

function entry(kind, group, text, note, run) {
  const main = text.toLowerCase()
  return { kind, group, text, note, run, main, parts: parts(main), beside: parts(`${group} ${note}`.toLowerCase()) }
}

const parts = text => text.split(/[^\p{L}\p{N}.]+/u).filter(Boolean)

/** How well an entry has a word: as a word of its own, as the beginning of one, within one, beside it; -1 when not at all. */
function fit({ main, parts, beside }, word) {
  if (parts.includes(word)) return 6
  if (parts.some(part => part.startsWith(word))) return 5
  if (main.includes(word)) return 4
  if (beside.some(part => part.startsWith(word))) return 3
  return scattered(main, word) ? 0 : -1
}

/** Letter by letter, in order: `dnp` is do_no_page. */
function scattered(text, word) {
  let from = 0
  return word.length > 2 && [...word].every(letter => (from = text.indexOf(letter, from) + 1))
}

/** What has every word, best first; among equals, actions before places before things before steps. Scattered letters count where nothing is better. */
function ranked(query) {
  const asked = query.toLowerCase().trim()
  const words = parts(asked)
  const scored = entries.map(entry => ({ entry, fits: words.map(word => fit(entry, word)) })).filter(({ fits }) => fits.every(fit => fit >= 0))
  const sure = scored.filter(({ fits }) => fits.every(Boolean))
  const score = ({ entry, fits }) => fits.reduce((sum, fit) => sum + fit, 0) + (entry.main === asked ? 2 : 0)
  return (sure.length ? sure : scored).sort((a, b) => score(b) - score(a) || ORDER[a.entry.kind] - ORDER[b.entry.kind]).map(({ entry }) => entry)
}

function find() {
  const found = ranked(field.value)
  shown = found.slice(0, MOST)
  list.replaceChildren(...shown.map(option))
  said.textContent = found.length ? `${found.length} found` : 'Nothing found'
  select(0)
}

function option({ group, text, note }, i) {
  const item = document.createElement('li')
  item.id = `palette-${i}`
  item.role = 'option'
  for (const [name, words] of [['group', group], ['text', text], ['note', note]]) {
    const part = document.createElement('span')
    part.className = name
    part.textContent = words
    if (words) item.append(part, ' ')
  }
  item.addEventListener('click', () => choose(i))
  return item
}

function select(to) {
  at = Math.max(0, Math.min(to, shown.length - 1))
  for (const [i, item] of [...list.children].entries()) item.setAttribute('aria-selected', String(i === at))
  field.setAttribute('aria-activedescendant', shown.length ? `palette-${at}` : '')
  list.children[at]?.scrollIntoView({ block: 'nearest' })
}

/** Close first: the focus is back where it was when the thing is done. */
function choose(i) {
  const chosen = shown[i]
  if (!chosen) return
  dialog.close()
  chosen.run()
}

const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE }

field.addEventListener('input', find)
field.addEventListener('keydown', event => {
  if (event.isComposing) return
  const by = MOVES[event.key]
  if (by) {
    event.preventDefault()
    const last = shown.length - 1
    select(Math.abs(by) === 1 ? (at + by + last + 1) % (last + 1) : at + by)
  } else if (event.key === 'Enter') {
    event.preventDefault()
    choose(at)
  }
})
dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close() })
