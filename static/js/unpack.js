/** Unpacks what stands behind the # of a long link, sends it where it is played without being stored, and shows what comes. */
import './fault-player.js'

const form = document.querySelector('form[data-longest]')
const said = document.querySelector('.said')

/** Base64url and raw deflate, as app/links.py packs. A text that unpacks to more than a request may carry is refused on the way. */
async function unpack(packed, most) {
  const letters = atob(packed.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(letters, letter => letter.charCodeAt(0))
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader()
  const parts = []
  let length = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length
    if (length > most) throw new RangeError('too much')
    parts.push(part.value)
  }
  return new Blob(parts).text()
}

async function play(run) {
  const step = new URLSearchParams(location.search).get('step') ?? ''
  const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams({ run, step }), headers: { Accept: 'text/html' } })
  if (answer.redirected) return location.replace(answer.url)
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  document.title = page.title
  const player = page.querySelector('fault-player')
  if (player) document.body.replaceChildren(player)
  else document.querySelector('main').replaceChildren(...page.querySelector('main').children)
}

async function open() {
  const packed = location.hash.slice(1)
  if (!packed) return
  said.textContent = 'Unpacking…'
  try {
    if (packed.length > Number(form.dataset.longest)) throw new RangeError('too long')
    await play(await unpack(packed, Number(form.dataset.most)))
  } catch {
    said.textContent = 'The link is not whole: a program may have cut off its end. Copy it again where it comes from.'
  }
}

window.addEventListener('hashchange', () => { if (!document.querySelector('fault-player')) open() })
open()
