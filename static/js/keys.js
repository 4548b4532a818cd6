/**
 * What keys do, on every page. The overlay that lists them is the one table: a [data-key] in it means the [data-act] of its
 * row. Whoever can do an act offers it; `perform` does it, for a key, for a button and for the palette alike.
 */
const help = document.querySelector('#help')
const meant = new Map([...help.querySelectorAll('[data-key]')].map(el => [el.dataset.key, el.closest('[data-act]').dataset.act]))
const offers = new Map()

const TYPING = 'input:not([type="range"], [type="checkbox"], [type="radio"]), textarea, select, [contenteditable], dialog'
const CONTROL = 'button, a, summary, input'
const PAGING = ['PageDown', 'PageUp', 'Home', 'End']
const AGAIN = /^(next|previous|slower|faster)/

/** Say what can be done here: {name: function}. It holds until the signal. */
export function offer(acts, signal) {
  for (const [name, act] of Object.entries(acts)) {
    offers.set(name, act)
    signal?.addEventListener('abort', () => { if (offers.get(name) === act) offers.delete(name) })
  }
}

export function perform(name) { return offers.get(name)?.() }
export function can(name) { return offers.has(name) }

/**
 * The palette's script comes when it is wanted; the field is there at once, so that nothing typed is lost. `kind` narrows it
 * to steps, to places or to things in the picture.
 */
const palette = async kind => {
  const dialog = document.querySelector('#palette')
  if (dialog.open) return
  dialog.querySelector('#palette-field').value = ''
  dialog.querySelector('#palette-list').replaceChildren()
  dialog.showModal()
  let entered = false
  const early = new AbortController()
  dialog.addEventListener('keydown', event => { entered ||= event.key === 'Enter' }, { signal: early.signal })
  const { fill } = await import('./palette.js')
  early.abort()
  fill(kind, entered)
}

offer({
  help: () => help.showModal(),
  palette: () => palette(),
  go: () => palette('step'),
  find: () => palette('place'),
  inspect: () => palette('thing'),
})

/** A key as the table spells it. A character has its Shift in itself; AltGr makes characters too. */
function spelt(event) {
  const character = event.key.length === 1
  const graph = event.getModifierState('AltGraph')
  if (event.altKey && !graph) return ''
  const control = (event.ctrlKey || event.metaKey) && !graph
  const shift = event.shiftKey && (control || !character)
  return `${control ? 'Control+' : ''}${shift ? 'Shift+' : ''}${control ? event.key.toLowerCase() : event.key}`
}

/** A single character, which speech input may say by accident (WCAG 2.1.4). The space bar is none. */
const single = key => key.length === 1 && key !== ' '

/** Whether a key is the element's own: what scrolls pages by itself, a control takes the space bar, a choice the arrows. */
function taken(key, target) {
  if (key === ' ') return Boolean(target.closest(CONTROL))
  if (key.includes('Arrow')) return target.type === 'radio'
  if (!PAGING.includes(key) || !target.matches('[tabindex="0"]')) return false
  return target.scrollHeight > target.clientHeight + 1
}

/**
 * The act that a key means here, or undefined. Never while typing, never what belongs to the browser. A dialog that has just
 * been closed may have the focus for a moment longer: it counts for nothing.
 */
export function meaning(event) {
  const key = spelt(event)
  const gone = event.target.closest?.('dialog:not([open])')
  const target = event.target.closest && !gone ? event.target : document.body
  if (event.defaultPrevented || event.isComposing || !meant.has(key)) return undefined
  if (target.closest(key.startsWith('Control+') ? 'dialog' : TYPING)) return undefined
  if (taken(key, target) || (single(key) && !box.checked)) return undefined
  return meant.get(key)
}

document.addEventListener('keydown', event => {
  const act = meaning(event)
  if (!act || !can(act)) return
  event.preventDefault()
  if (!event.repeat || AGAIN.test(act)) perform(act)
})

/** Press a key again that was pressed in vain. */
export function press(event) { document.body.dispatchEvent(new KeyboardEvent('keydown', event)) }

/* One that came before this script did (theme.js), when all scripts are there. */
document.addEventListener('DOMContentLoaded', () => {
  const { early } = document.documentElement
  document.documentElement.onkeydown = null
  if (early && meaning(early)) press(early)
})

document.addEventListener('click', event => {
  const act = event.target.closest?.('[data-do]')?.dataset.do
  if (act === 'help' || act === 'palette') perform(act)
})

/* Keys of a single character can be switched off; those that are off are not listed. */
const box = help.querySelector('#single-keys')
for (const el of help.querySelectorAll('[data-key]')) el.toggleAttribute('data-single', single(el.dataset.key))
const remembered = () => { try { return localStorage.getItem('keys') } catch { return null } }
const set = on => {
  box.checked = on
  help.toggleAttribute('data-no-single', !on)
}
set(remembered() !== 'off')
box.addEventListener('change', () => {
  set(box.checked)
  try { localStorage.setItem('keys', box.checked ? 'on' : 'off') } catch { /* private windows may refuse */ }
})
