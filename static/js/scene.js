/**
 * The picture as the server sent it. A cell `page/3.dirty` is the attribute data-dirty of every [data-at="page/3"] and the
 * text of every [data-show="dirty"] whose nearest [data-at] that is. CSS does the rest; nothing else writes state here.
 * What is .later was sent without a state: it is adopted when it is there.
 */
export class Scene {
  constructor(root) {
    this.root = root
    this.places = new Map()
    for (const el of root.querySelectorAll('[data-at]:not(.later *)')) this.#place(el.dataset.at).elements.push(el)
    for (const el of root.querySelectorAll('[data-show]')) {
      const shows = this.#place(el.closest('[data-at]').dataset.at).shows
      if (!shows.has(el.dataset.show)) shows.set(el.dataset.show, [])
      shows.get(el.dataset.show).push(el)
    }
  }

  /** Take in a part that came later, and make it agree with the cells. */
  adopt(part, cells) {
    const come = new Set()
    for (const el of part.querySelectorAll('[data-at]')) {
      this.#place(el.dataset.at).elements.push(el)
      come.add(el.dataset.at)
    }
    this.show([...cells].filter(([cell]) => come.has(cell.slice(0, cell.lastIndexOf('.')))))
  }

  #place(at) {
    if (!this.places.has(at)) this.places.set(at, { elements: [], shows: new Map() })
    return this.places.get(at)
  }

  /** Make the picture agree with these cells. */
  show(changed) {
    for (const [cell, value] of changed) {
      const dot = cell.lastIndexOf('.')
      const place = this.places.get(cell.slice(0, dot))
      if (!place) continue
      const field = cell.slice(dot + 1)
      const name = `data-${field.replaceAll('_', '-')}`
      for (const el of place.elements) {
        if (value === null) el.removeAttribute(name)
        else el.setAttribute(name, String(value))
      }
      for (const el of place.shows.get(field) ?? []) el.textContent = value === null ? '' : String(value)
    }
  }

  /** The visible element that stands for an entity, if there is one. */
  find(at) {
    return this.places.get(at)?.elements.find(el => el.checkVisibility?.() ?? true)
  }
}
