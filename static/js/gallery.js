/** Finds scenarios by typing: a card stays while it has every word. Without this file all of them are listed. */
import { offer } from './keys.js'

const field = document.querySelector('#find')
const said = document.querySelector('#found')
const chapters = [...document.querySelectorAll('.chapter')]
const cards = [...document.querySelectorAll('.chapter .card')].map(card => ({ card, text: text(card) }))

/** What a card can be found by: all it says, and the name of its chapter. */
function text(card) {
  return `${card.textContent} ${card.closest('.chapter').querySelector('h2').textContent}`.toLowerCase()
}

function find() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const { card, text } of cards) card.hidden = !words.every(word => text.includes(word))
  for (const chapter of chapters) chapter.hidden = !chapter.querySelector('.card:not([hidden])')
  const left = cards.filter(({ card }) => !card.hidden).length
  said.textContent = words.length ? `${left} of ${cards.length}` : ''
  const query = words.length ? `?q=${encodeURIComponent(words.join(' '))}` : ''
  if (location.search !== query) history.replaceState(history.state, '', location.pathname + query + location.hash)
}

field.value = new URLSearchParams(location.search).get('q') ?? ''
field.addEventListener('input', find)
offer({ find: () => field.focus() })
find()
