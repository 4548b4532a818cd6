/**
 * What one run did, as the server told it. Pure: knows neither the DOM nor time, so it runs under node as well.
 *
 * @typedef {{cells: string[], values: (string|number|boolean|null)[], initial: number[], steps: number[][],
 *   reads: number[][], told: string[], faults: number[],
 *   stops: {function: number[], fault: number[]}, beats: number[], asks: [number, number][]}} Payload
 *   `initial` and each of `steps` are flat lists of (cell, value) pairs, where n is the n-th of the table and 0 the next that
 *   was not met before; `told` has the event of each step, `A.2.do_no_page.set_pte`; `faults` are the steps at which a fault begins, `stops` those at which a
 *   press stops that goes by function, or by fault, `beats` those at which the story halts, `asks` those that are asked
 *   about before, with the number of the right choice.
 */
export class Trace {
  /** @param {Payload} payload */
  constructor({ cells, values, initial, steps, reads, told, faults, stops, beats = [], asks = [] }) {
    this.at = 0
    this.faults = faults
    this.stops = stops
    this.beats = beats
    this.asks = new Map(asks)
    this.told = told
    this.reads = reads.map(step => step.map(cell => cells[cell]))
    const [cell, value] = [reader(cells), reader(values)]
    const pairs = flat => Array.from({ length: flat.length / 2 }, (_, i) => [cell(flat[2 * i]), value(flat[2 * i + 1])])
    this.cells = new Map(pairs(initial))
    const now = new Map(this.cells)
    this.steps = steps.map(flat => pairs(flat).map(([at, value]) => {
      const write = [at, now.get(at) ?? null, value]
      now.set(at, value)
      return write
    }))
  }

  get length() { return this.steps.length }

  /** The value of a cell at the present step, null when it is not there. */
  value(cell) { return this.cells.get(cell) ?? null }

  /** What step n is: its task, function, name and event; undefined for the beginning. */
  step(n = this.at) {
    const event = this.told[n - 1]
    if (!event) return undefined
    const [task, , fn, name] = event.split('#')[0].split('.')
    return { task, fn, name, event }
  }

  /** Move to a step and return every cell whose value changed, with its value there. */
  seek(to) {
    const changed = new Map()
    to = Math.max(0, Math.min(to, this.length))
    while (this.at < to) for (const [cell, , value] of this.steps[this.at++]) changed.set(cell, value)
    while (this.at > to) for (const [cell, value] of this.steps[--this.at].toReversed()) changed.set(cell, value)
    for (const [cell, value] of changed) this.cells.set(cell, value)
    return changed
  }

  /** The nearest step before or after the present one at which a fault begins; the end when there is none. */
  fault(direction) {
    const after = this.faults.filter(n => direction > 0 ? n > this.at : n < this.at)
    return after.length ? after.at(direction > 0 ? 0 : -1) : direction > 0 ? this.length : 0
  }

  /** The step that one press forward or back leads to, when it goes `by` step, function or fault. */
  beside(direction, by) {
    const stops = this.stops[by]
    if (!stops) return this.at + direction
    return direction > 0 ? stops.find(n => n > this.at) ?? this.length : stops.findLast(n => n < this.at) ?? 0
  }

  /** The story of a cell around the present step: what it was before its last write, when that was, when it is used next. */
  story(cell) {
    const writes = n => this.steps[n - 1].find(([at]) => at === cell)
    let set = this.at
    while (set > 0 && !writes(set)) set--
    let next = this.at + 1
    while (next <= this.length && !writes(next) && !this.reads[next - 1].includes(cell)) next++
    const found = next <= this.length
    return {
      value: this.value(cell),
      was: set ? writes(set)[1] : null,
      set: set || null,
      next: found ? next : null,
      how: found ? writes(next) ? 'written' : 'read' : null,
    }
  }

  /** The cells of an entity that are there now: [field, address] pairs in order. */
  fields(entity) {
    const start = `${entity}.`
    return [...this.cells].filter(([at, value]) => value !== null && at.startsWith(start))
      .map(([at]) => [at.slice(start.length), at]).sort()
  }
}

/** Gives the things of a table by number: the n-th, or for 0 the next that was not given before. */
function reader(table) {
  let met = 0
  return n => table[n ? n - 1 : met++]
}
