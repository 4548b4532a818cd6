/**
 * One stream a browser, however many tabs: the tabs of a room agree on one that has it, and it tells the others.
 *
 * Web Locks choose where they are; a classroom that is served without TLS has none, and there the tabs choose by what they
 * hear of each other. The one that leads answers a newcomer with what was said last.
 */
const BEAT = 1000
const SILENCE = 2600

export class Leader {
  #channel
  #said
  #heard = performance.now()
  #leads = false
  #me = Math.random()

  /** `lead` begins the stream, `rest` ends it, `hear` gets what the leader says. */
  constructor(name, { lead, rest, hear }) {
    Object.assign(this, { name, lead, rest, hear })
    this.#channel = globalThis.BroadcastChannel && new BroadcastChannel(name)
    this.#channel?.addEventListener('message', ({ data }) => this.#listen(data))
    this.#channel?.postMessage({ kind: 'hello' })
    if (!this.#channel) this.#take()
    else if (navigator.locks) navigator.locks.request(name, () => new Promise(() => this.#take())).catch(() => this.#take())
    else this.#elect()
  }

  /** The leader tells all tabs of this browser, itself included. */
  say(words) {
    this.#said = { ...this.#said, ...words }
    this.#channel?.postMessage({ kind: 'said', words })
    this.hear(words)
  }

  /** Have the stream begun again, by whichever tab has it. */
  again() {
    if (!this.#leads) return this.#channel.postMessage({ kind: 'again' })
    this.rest()
    this.lead()
  }

  #listen({ kind, words, from }) {
    if (kind === 'said') { this.#said = { ...this.#said, ...words }; this.#heard = performance.now(); this.hear(words) }
    if (kind === 'hello' && this.#leads && this.#said) this.#channel.postMessage({ kind: 'said', words: this.#said })
    if (kind === 'again' && this.#leads) this.again()
    if (kind === 'beat') this.#yield(from)
  }

  #take() {
    this.#leads = true
    this.lead()
  }

  /** Without locks: who hears nobody for a while leads, and of two that lead the one with the lesser number goes on. */
  #elect() {
    const patience = 300 + 700 * this.#me
    this.#heard = performance.now() - SILENCE
    setInterval(() => {
      if (this.#leads) this.#channel.postMessage({ kind: 'beat', from: this.#me })
      else if (performance.now() - this.#heard > SILENCE + patience) this.#take()
    }, BEAT / 2)
  }

  #yield(from) {
    this.#heard = performance.now()
    if (!this.#leads || navigator.locks || from >= this.#me) return
    this.#leads = false
    this.rest()
  }
}
