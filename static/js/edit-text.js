/** Changes to the text that the browser can undo: each is made as if it had been typed. */

/** Type a text in place of the selection. */
export function insert(field, text) {
  field.focus()
  const done = document.execCommand(text ? 'insertText' : 'delete', false, text)
  if (done) return
  field.setRangeText(text, field.selectionStart, field.selectionEnd, 'end')
  field.dispatchEvent(new Event('input', { bubbles: true }))
}

/** Make the text another one, by changing no more of it than differs; the caret and the focus stay where they were. */
export function replaceAll(field, text) {
  const old = field.value
  if (old === text) return
  const had = document.activeElement
  const caret = field.selectionStart
  let from = 0
  while (from < Math.min(old.length, text.length) && old[from] === text[from]) from += 1
  let back = 0
  const most = Math.min(old.length, text.length) - from
  while (back < most && old[old.length - 1 - back] === text[text.length - 1 - back]) back += 1
  field.focus({ preventScroll: true })
  field.setSelectionRange(from, old.length - back)
  insert(field, text.slice(from, text.length - back))
  const moved = caret <= from ? caret : Math.max(from, caret + text.length - old.length)
  field.setSelectionRange(moved, moved)
  if (had && had !== field && had !== document.body) had.focus({ preventScroll: true })
}

/** What a new line begins with: the space of this one, and its dash if it has one; an empty dash ends the list. */
export function indent(field) {
  const before = field.value.slice(field.value.lastIndexOf('\n', field.selectionStart - 1) + 1, field.selectionStart)
  const [, space, dash] = before.match(/^(\s*)(- )?/)
  if (/:\s*$/.test(before) && !dash) return `\n${space}  `
  return `\n${space}${dash && before.trim() !== '-' ? dash : ''}`
}

export function undo(field) {
  field.focus()
  document.execCommand('undo')
}
