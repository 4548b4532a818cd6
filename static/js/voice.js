/** Who is told: plain words or the kernel's. The address says it; a preference is remembered for addresses that do not. */
export const VOICES = ['student', 'developer']

export class Voice {
  constructor(theatre) {
    this.theatre = theatre
    const said = new URLSearchParams(location.search).get('voice')
    if (!VOICES.includes(said) && VOICES.includes(remembered())) this.#show(remembered())
  }

  toggle() { this.choose(VOICES.find(voice => voice !== this.theatre.dataset.voice)) }

  choose(voice) {
    this.#show(voice)
    try { localStorage.setItem('voice', voice) } catch { /* private windows may refuse */ }
    this.theatre.tell({ voice })
  }

  #show(voice) {
    this.theatre.dataset.voice = voice
    for (const link of this.theatre.querySelectorAll('.voices a')) {
      if (link.dataset.voice === voice) link.setAttribute('aria-current', 'true')
      else link.removeAttribute('aria-current')
    }
  }
}

function remembered() {
  try { return localStorage.getItem('voice') } catch { return null }
}
