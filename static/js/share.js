/** The share dialog: whole addresses to copy. Without a clipboard the text is selected, ready for the reader's own keys. */
export function share(dialog, { step, run, at }) {
  const here = (id, path) => { dialog.querySelector(id).value = new URL(path, location.href).href }
  here('#share-step', step)
  here('#share-run', run)
  here('#share-data', dialog.querySelector('#share-data').getAttribute('value'))
  const room = dialog.querySelector('.open-room')
  if (room) room.elements.step.value = new URL(step, location.href).searchParams.get('step')
  dialog.querySelector('.said').textContent = ''
  dialog.querySelector('#share-at').value = at
  dialog.querySelector('#share-more').dispatchEvent(new CustomEvent('share:open'))
  dialog.showModal()
  dialog.querySelector('#share-step').select()
}

/** Copy what the button names. */
export async function copy(dialog, button) {
  const field = dialog.querySelector(`#${button.dataset.copy}`)
  const name = dialog.querySelector(`label[for="${field.id}"]`).textContent
  field.select()
  const said = await navigator.clipboard?.writeText(field.value).then(() => `Copied: ${name}.`, () => undefined)
  dialog.querySelector('.said').textContent = said ?? 'Selected: copy it with your keys.'
}

/** Copy the address of a step, without a dialog; what came of it is said for a moment. */
export async function copyStep(path) {
  const address = new URL(path, location.href).href
  const said = await navigator.clipboard?.writeText(address).then(() => 'Link copied.', () => undefined)
  say(said ?? 'No clipboard here: press s for the link.')
}

let soon

function say(words) {
  const toast = document.querySelector('#toast')
  toast.textContent = words
  clearTimeout(soon)
  soon = setTimeout(() => { toast.textContent = '' }, 2500)
}
