/** What somebody wrote, remembered by this browser alone and under the name of what they began with. It may refuse. */
export class Memory {
  constructor(name) {
    this.name = name
    const found = this.read()
    this.text = found?.text ?? null
    this.when = found ? ` on ${new Date(found.when).toLocaleString()}` : ''
  }

  read() {
    try { return JSON.parse(localStorage.getItem(this.name)) } catch { return null }
  }

  /** Keep a text a moment after it was typed. What is as it began is not worth keeping. */
  keep(text, start) {
    clearTimeout(this.soon)
    this.soon = setTimeout(() => text === start ? this.forget() : this.write(text), 250)
  }

  write(text) {
    try { localStorage.setItem(this.name, JSON.stringify({ text, when: Date.now() })) } catch { /* private windows may refuse */ }
  }

  forget() {
    try { localStorage.removeItem(this.name) } catch { /* as above */ }
  }
}
