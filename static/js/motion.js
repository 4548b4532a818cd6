/**
 * What travels when a step happens. Only ornament: the picture is already right when a motion starts, so skipping,
 * interrupting or switching it off can never leave it wrong. Web Animations only.
 *
 * A motion is a function of the stage below; it names places by role: the page in question has the cells focus.page,
 * focus.pte, focus.slot, focus.block, focus.disk, whose values are addresses.
 */
const still = matchMedia('(prefers-reduced-motion: reduce)')
/** Milliseconds. A hop takes 1.7 beats, so that none takes longer than 400 ms. */
const BEAT = 230

/** The question goes to the filesystem. */
const goes = stage => stage.fly('?', '.station[data-now] .mark', '.filesystem .bits', { kind: 'question' })

/** Its answer comes back. */
const comes = stage => stage.fly(stage.answer().word, '.filesystem .bits', '.station[data-now] .mark', { kind: stage.answer().no ? 'refusal' : 'promise' })

/** Both, where one step asks and is answered. */
const ask = async stage => {
  await goes(stage)
  await Promise.all([stage.pulse('.filesystem'), comes(stage)])
}

/** Nobody is asked: the question comes up, and fades where it stands. */
const neverAsk = stage => stage.fade('?', '.station[data-now] .mark')

/** A step that asks: what it does depends on whether it has its answer already. */
const question = stage => stage.answer().never ? neverAsk(stage) : stage.answer().asked && stage.answered() ? ask(stage) : undefined

const block = stage => stage.fly(stage.text('slot') || '?', 'slot', 'block', { kind: 'data' })
const write = stage => stage.fly(stage.text('slot'), 'slot', 'disk', { kind: 'data' })

/** The entry is filled: the frame's number goes into it. A step that fills none moves nothing. */
const fill = stage => stage.changed() && stage.fly(stage.filled(), 'slot', 'pte', { kind: 'entry' })
const unfill = stage => stage.changed() && stage.fly('', 'pte', 'slot', { kind: 'entry' })

/** Room is looked for: a block, or the promise of one, gets its name tag, or the page is sent back. */
const room = stage => stage.refused() ? stage.bounce(stage.text('slot') || '?', 'block', '.filesystem .bits') : stage.tag()

/** What moves, by "function.step", else by the step's name, which means the same under every kernel. */
export const motions = {
  'load.read': stage => stage.fly(stage.text('slot'), 'slot', 'page', { kind: 'data' }),
  'store.write': stage => stage.fly(stage.text('slot'), 'page', 'slot', { kind: 'risk' }),
  'enough_space.drop_lock': goes,
  'do_page_mkwrite.enough_space': goes,
  'wp_page_shared.set_pte': stage => stage.pulse('pte'),
  'do_user_addr_fault.retry': stage => stage.said('VM_FAULT_RETRY') && stage.fly('again', '.station[data-now] .mark', '.station:nth-child(3) .mark', { kind: 'fault' }),

  trap: stage => stage.fly('fault', 'page', '.rail', { kind: 'fault' }),
  signal: stage => stage.shake('page'),
  zero_fill: stage => stage.fly('0', 'block', 'slot', { kind: 'data' }),
  read_blocks: stage => stage.fly(stage.text('slot'), 'disk', 'slot', { kind: 'data' }),
  enough_space: question,
  vm_fault: stage => stage.answer().never ? undefined : comes(stage),
  recheck: comes,
  set_pte: fill,
  set_zero_pte: fill,
  break_cow: fill,
  do_fault_around: fill,
  reuse: stage => stage.pulse('pte'),
  folio_mkclean: stage => stage.protect(),
  page_mkclean_one: stage => stage.protect(),
  reserve_blocks: room,
  dquot_reserve_block: room,
  xfs_dec_fdblocks: room,
  btrfs_reserve_data_bytes: room,
  shmem_inode_acct_blocks: room,
  allocate: room,
  claim: stage => stage.tag(),
  writepage: block,
  submit_bio: write,
  submit_bh: write,
  fuse_writepages_send: write,
  server_write: stage => stage.refused() && stage.bounce(stage.text('slot') || '?', 'disk', 'disk'),
  recover: stage => stage.shake('slot'),
  end_io: stage => stage.pulse('disk'),
  unmap_one: stage => stage.fly('', 'pte', 'slot', { kind: 'entry' }),
  zap_pte: unfill,
}

export class Motion {
  #running = new Set()
  #litter = new Set()
  #rate = 1
  #torn

  constructor(scene, trace, overlay) {
    Object.assign(this, { scene, trace, overlay })
  }

  get off() { return still.matches || !this.overlay.animate }

  /** Called just before step n is shown: keep the look of a page that this step loses. */
  before(n) {
    if (this.off) return
    const lost = this.trace.steps[n - 1].some(([cell, , value]) => cell.endsWith('.fate') && cell.startsWith('ledger/') && value === 'lost')
    const slot = lost && this.#lostSlot(n)
    this.#torn = slot ? this.#copy(slot) : undefined
  }

  /** Called when step n has been shown. Resolves when nothing moves any more. */
  async after(rate) {
    if (this.off) return
    this.#rate = rate
    const { fn, name } = this.trace.step()
    try {
      await Promise.all([this.#turnedAway(), this.#torn ? this.#tear(this.#torn) : (motions[`${fn}.${name}`] ?? motions[name])?.(this)])
    } catch (error) {
      if (error?.name !== 'AbortError') throw error
    }
    this.#sweep()
  }

  /** Stop everything at once. */
  cancel() {
    for (const animation of this.#running) animation.cancel()
    this.#running.clear()
    this.#torn = undefined
    this.#sweep()
  }

  // -- what motions are made of ------------------------------------------------------------------------------------

  /** What the present station has answered. */
  answer() {
    const station = this.scene.root.querySelector('.station[data-now]')
    const word = station?.dataset.answer ?? ''
    return { word, never: station?.dataset.state === 'unasked', no: word.startsWith('no:'), asked: word.startsWith('yes') || word.startsWith('no:') }
  }

  /** Whether the present station has got its answer in this very step. */
  answered() {
    const at = this.scene.root.querySelector('.station[data-now]')?.dataset.at
    return this.#writes().some(([cell]) => cell === `${at}.answer`)
  }

  /** What this step itself has answered, as the caption has it after a dash. */
  said(word) { return (this.trace.value('caption.where') ?? '').split(' — ')[1]?.includes(word) ?? false }
  refused() { return this.said('no: ') }

  /** The letters in a place. */
  text(role) { return this.trace.value(`${this.trace.value(`focus.${role}`)}.text`) ?? '' }

  /** What the entry in question points to now. */
  filled() { return this.trace.value(`${this.trace.value('focus.pte')}.to`) ?? '' }

  /** Whether this step changed the entry in question. */
  changed() { return this.#writes().some(([cell]) => cell.startsWith('pteslot/')) }

  #writes() { return this.trace.steps[this.trace.at - 1] }

  /** Writeback ties the page down: the W leaves each entry, so that the next store traps. */
  async protect() {
    const entries = this.#writes().filter(([cell, was, now]) => /\/pte\/.*\.entry$/.test(cell) && / W /.test(` ${was} `) && !/ W /.test(` ${now} `))
    await Promise.all(entries.map(([cell]) => this.fade('W', cell.slice(0, -'.entry'.length), 'entry')))
  }

  /** A token flies from one place to another along a trail: within the picture on the line that joins them, else in an arc. */
  async fly(text, from, to, { kind }) {
    const way = this.#way(from, to)
    if (!way) return
    const token = this.#token(text, kind, way)
    await this.#run(token, [
      { offsetDistance: '0%', transform: 'scale(0.6)', opacity: 0 },
      { offsetDistance: '4%', transform: 'scale(1)', opacity: 1, offset: 0.12 },
      { offsetDistance: '100%', transform: 'scale(1)', opacity: 1, offset: 0.9 },
      { offsetDistance: '100%', transform: 'scale(0.7)', opacity: 0 },
    ], 1.7)
  }

  /** A token goes over, is sent back, and drops. */
  async bounce(text, from, to, shaken = '.filesystem .bits') {
    const way = this.#way(from, to)
    if (!way) return
    const over = this.#run(this.#token(text, 'failed', way), [
      { offsetDistance: '0%', transform: 'scale(0.7)', opacity: 0 },
      { offsetDistance: '6%', transform: 'scale(1)', opacity: 1, offset: 0.1 },
      { offsetDistance: '92%', transform: 'scale(1.1)', opacity: 1, offset: 0.5 },
      { offsetDistance: '10%', transform: 'scale(0.9)', opacity: 1, offset: 0.9 },
      { offsetDistance: '0%', transform: 'scale(0.7)', opacity: 0 },
    ], 2.2)
    await Promise.all([shaken && this.shake(shaken), over])
  }

  /** The page's name tag goes to the block that was promised to it. */
  async tag() {
    const bit = this.#writes().find(([cell, , value]) => /^bit\/.*\.letter$/.test(cell) && value)
    const where = bit && this.scene.find(bit[0].slice(0, bit[0].lastIndexOf('.')))
    if (!where) return
    await this.fly(bit[2] === '?' ? 'promise' : bit[2], 'slot', where, { kind: 'promise' })
    await this.pulse(where)
  }

  /** A token comes up and fades where it stands. */
  async fade(text, where, kind = 'unasked') {
    const a = this.#centre(where)
    if (!a) return
    const up = { x: a.x, y: a.y - 26 }
    await this.#run(this.#token(text, kind), [at(a, 0.6, 0), { ...at(up, 1.1, 1), offset: 0.3 }, { ...at(up, 1.1, 1), offset: 0.6 }, at({ x: a.x, y: a.y - 40 }, 1, 0)], 1.7)
  }

  pulse(where) {
    const el = this.#place(where)
    if (!el) return undefined
    return this.#animate(el, [{ opacity: 1 }, { opacity: 0.45 }, { opacity: 1 }], 1)
  }

  shake(where) {
    const el = this.#place(where)
    if (!el) return undefined
    const inner = el.querySelector?.('.sheet') ?? (el instanceof HTMLElement ? el : undefined)
    if (!inner) return this.pulse(where)
    const steps = [0, -5, 5, -4, 3, 0].map(x => ({ transform: `translateX(${x}px)` }))
    return this.#animate(inner, steps, 1)
  }

  // -- who waits ------------------------------------------------------------------------------------------------------

  /** A task that has come to wait runs against the lock, and is sent back to where it stands. */
  #turnedAway() {
    const turned = this.trace.steps[this.trace.at - 1].filter(([cell, , value]) => /^task\/[^.]+\.waits$/.test(cell) && value)
    return Promise.all(turned.map(([cell]) => {
      const task = cell.slice('task/'.length, -'.waits'.length)
      const lock = [...this.scene.root.querySelectorAll('.hold[data-queue]')].find(el => el.dataset.queue.split(/,? /).includes(task))
      return lock && this.bounce(task, `.task[data-at="task/${task}"] h3`, lock, '')
    }))
  }

  // -- the lost page -------------------------------------------------------------------------------------------------

  /** The visible place of the page that step n loses: its slot, or on a small screen its card. */
  #lostSlot(n) {
    const gone = this.trace.steps[n - 1].find(([cell, , value]) => cell.startsWith('slot/') && cell.endsWith('.state') && (value === 'lost' || value === 'absent'))
    return gone && (this.scene.find(gone[0].slice(0, gone[0].lastIndexOf('.'))) ?? this.scene.find('focus/page'))
  }

  /** A picture of that place as it looks now, lying exactly over it. */
  #copy(place) {
    const box = (place.querySelector('.sheet > rect') ?? place).getBoundingClientRect()
    if (!box.width) return undefined
    const holder = document.createElement('div')
    holder.className = 'torn'
    holder.append(place instanceof SVGElement ? this.#sheet(place) : place.cloneNode(true))
    holder.firstChild.removeAttribute('data-at')
    holder.classList.toggle('focus', !(place instanceof SVGElement))
    Object.assign(holder.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px` })
    return holder
  }

  /** A slot of the picture as a picture of its own. */
  #sheet(slot) {
    const copy = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    const { width, height } = slot.querySelector('rect').getBBox()
    copy.setAttribute('viewBox', `0 0 ${width} ${height}`)
    copy.setAttribute('class', slot.ownerSVGElement.getAttribute('class'))
    const inside = slot.cloneNode(true)
    inside.removeAttribute('transform')
    inside.removeAttribute('data-at')
    copy.append(inside)
    return copy
  }

  async #tear(holder) {
    this.#add(holder)
    await this.#animate(holder, [
      { transform: 'none', opacity: 1 },
      { transform: 'rotate(-5deg) translateY(-6px)', opacity: 1, offset: 0.2 },
      { transform: 'rotate(9deg) translate(14px, 30px)', opacity: 1, offset: 0.45 },
      { transform: 'rotate(38deg) translate(90px, 75vh)', opacity: 0 },
    ], 3.4, 'cubic-bezier(.5, 0, .9, .5)')
  }

  // -- machinery -----------------------------------------------------------------------------------------------------

  #place(where) {
    if (where instanceof Element) return where
    if (where.startsWith('.')) return this.scene.root.querySelector(where) ?? undefined
    if (where.includes('/')) return this.scene.find(where)
    const at = this.trace.value(`focus.${where}`)
    const phone = this.scene.find(`focus/${{ page: 'task', slot: 'page' }[where] ?? where}`)
    return (at && this.scene.find(at)) ?? phone
  }

  #centre(where) {
    const el = this.#place(where)
    const box = el?.getBoundingClientRect()
    return box?.width ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : undefined
  }

  /** The way between two places as an SVG path, in pixels of the window. */
  #way(from, to) {
    const [a, b] = [this.#centre(from), this.#centre(to)]
    if (!a || !b) return undefined
    const inside = [from, to].every(end => this.#place(end).closest('svg.scene, .focus'))
    const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2]
    if (inside) return `M${a.x} ${a.y}C${x} ${a.y} ${x} ${b.y} ${b.x} ${b.y}`
    const bow = Math.min(70, Math.hypot(b.x - a.x, b.y - a.y) / 5)
    return `M${a.x} ${a.y}Q${x + Math.sign(b.x - a.x || 1) * bow} ${y - bow} ${b.x} ${b.y}`
  }

  /** A token, and the trail it flies along if it has a way. */
  #token(text, kind, way) {
    const token = document.createElement('span')
    token.className = `token ${kind}`
    token.textContent = text
    if (way) {
      token.style.offsetPath = `path("${way}")`
      this.#add(trail(way, kind))
    }
    return this.#add(token)
  }

  #add(thing) {
    this.overlay.append(thing)
    this.#litter.add(thing)
    return thing
  }

  async #run(token, keyframes, beats) {
    const line = token.previousElementSibling
    await this.#animate(token, keyframes, beats)
    for (const thing of token.style.offsetPath ? [token, line] : [token]) {
      thing.remove()
      this.#litter.delete(thing)
    }
  }

  #animate(el, keyframes, beats, easing = 'cubic-bezier(.3, .1, .2, 1)') {
    const animation = el.animate(keyframes, { duration: beats * BEAT / this.#rate, easing, fill: 'both' })
    this.#running.add(animation)
    return animation.finished.then(() => { this.#running.delete(animation); animation.cancel() })
  }

  #sweep() {
    for (const thing of this.#litter) thing.remove()
    this.#litter.clear()
  }
}

/** The line that a token flies along. */
function trail(way, kind) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('class', `trail ${kind}`)
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', way)
  svg.append(path)
  return svg
}

function at({ x, y }, scale, opacity) {
  return { transform: `translate(${x}px, ${y}px) translate(-50%, -50%) scale(${scale})`, opacity }
}
