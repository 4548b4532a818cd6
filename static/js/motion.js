/**
 * What travels when a step happens. Only ornament: the picture is already right when a motion starts, so skipping,
 * interrupting or switching it off can never leave it wrong. Web Animations only; keyed by "function.step".
 *
 * A motion is a function of the stage below; it names places by role: the page in question has the cells focus.page,
 * focus.pte, focus.slot, focus.block, focus.disk, whose values are addresses.
 */
const still = matchMedia('(prefers-reduced-motion: reduce)')
const BEAT = 420

/** The question goes to the filesystem and comes back with its answer. */
const ask = async stage => {
  const { no, word } = stage.answer()
  await stage.fly('?', '.station[data-now] .mark', '.filesystem .bits', { kind: 'question' })
  stage.pulse('.filesystem')
  await stage.fly(word, '.filesystem .bits', '.station[data-now] .mark', { kind: no ? 'refusal' : 'promise' })
}

/** Nobody is asked: the question comes up, and fades where it stands. */
const neverAsk = stage => stage.fade('?', '.station[data-now] .mark')

const block = stage => stage.fly(stage.text('slot') || '?', 'slot', 'block', { kind: 'data' })

export const motions = {
  'load.trap': stage => stage.fly('fault', 'page', '.rail', { kind: 'fault' }),
  'store.trap': stage => stage.fly('fault', 'page', '.rail', { kind: 'fault' }),
  'load.read': stage => stage.fly(stage.text('slot'), 'slot', 'page', { kind: 'data' }),
  'store.write': stage => stage.fly(stage.text('slot'), 'page', 'slot', { kind: 'risk' }),
  'store.signal': stage => stage.shake('page'),
  'mpage_readpage.zero_fill': stage => stage.fly('0', 'block', 'slot', { kind: 'data' }),
  'mpage_readpage.read_blocks': stage => stage.fly(stage.text('slot'), 'disk', 'slot', { kind: 'data' }),
  'do_no_page.enough_space': stage => stage.answer().never ? neverAsk(stage) : stage.answer().asked ? ask(stage) : undefined,
  'do_wp_page.enough_space': stage => stage.answer().never ? neverAsk(stage) : stage.answer().asked ? ask(stage) : undefined,
  'enough_space.drop_lock': stage => stage.fly('?', '.station[data-now] .mark', '.filesystem .bits', { kind: 'question' }),
  'enough_space.recheck': stage => stage.fly(stage.answer().word, '.filesystem .bits', '.station[data-now] .mark', { kind: stage.answer().no ? 'refusal' : 'promise' }),
  'do_no_page.set_pte': stage => stage.fly('', 'slot', 'pte', { kind: 'token' }),
  'do_anonymous_page.set_pte': stage => stage.fly('', 'slot', 'pte', { kind: 'token' }),
  'do_wp_page.reuse': stage => stage.pulse('pte'),
  'do_wp_page.break_cow': stage => stage.fly('', 'slot', 'pte', { kind: 'token' }),
  'ext2_new_block.reserve_blocks': stage => stage.answer().no
    ? stage.bounce(stage.text('slot') || '?', 'block', '.filesystem .bits')
    : stage.tag('.filesystem .bits [data-wrote]', 'block'),
  'mpage_writepages.writepage': block,
  'pageout.writepage': block,
  'mpage_writepage.submit_bio': stage => stage.fly(stage.text('slot'), 'slot', 'disk', { kind: 'data' }),
  'block_write_full_page.submit_bh': stage => stage.fly(stage.text('slot'), 'slot', 'disk', { kind: 'data' }),
  'block_write_full_page.recover': stage => stage.shake('slot'),
  'end_page_writeback.end_io': stage => stage.pulse('disk'),
  'try_to_unmap.unmap_one': stage => stage.fly('', 'pte', 'slot', { kind: 'token' }),
  'zap_pte_range.zap_pte': stage => stage.changed() && stage.fly('', 'pte', 'slot', { kind: 'token' }),
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
      if (this.#torn) await this.#tear(this.#torn)
      else await motions[`${fn}.${name}`]?.(this)
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
    return { word, never: station?.dataset.state === 'unasked', no: word.startsWith('no:'), asked: word === 'yes' || word.startsWith('no:') }
  }

  /** The letters in a place. */
  text(role) { return this.trace.value(`${this.trace.value(`focus.${role}`)}.text`) ?? '' }

  /** Whether this step changed the entry in question. */
  changed() { return this.trace.steps[this.trace.at - 1].some(([cell]) => cell.startsWith('pteslot/')) }

  /** A token flies from one place to another; over to the disk it is data, to a gate it is an answer. */
  async fly(text, from, to, { kind }) {
    const [a, b] = [this.#centre(from), this.#centre(to)]
    if (!a || !b) return
    const token = this.#token(text, kind)
    const lift = Math.min(60, Math.hypot(b.x - a.x, b.y - a.y) / 6)
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 - lift }
    await this.#run(token, [at(a, 0.6, 0), { ...at(a, 1, 1), offset: 0.12 }, at(middle, 1.05, 1), { ...at(b, 1, 1), offset: 0.9 }, at(b, 0.7, 0)], 1.5)
  }

  /** A token goes over, is sent back, and drops. */
  async bounce(text, from, to) {
    const [a, b] = [this.#centre(from), this.#centre(to)]
    if (!a || !b) return
    const near = { x: a.x + (b.x - a.x) * 0.9, y: a.y + (b.y - a.y) * 0.9 }
    this.shake('.filesystem .bits')
    await this.#run(this.#token(text, 'failed'), [at(a, 0.7, 0), { ...at(a, 1, 1), offset: 0.1 }, { ...at(near, 1.1, 1), offset: 0.5 }, at(a, 0.9, 1), at(a, 0.7, 0)], 2)
  }

  /** A name tag flies from a place in the block map to the new block. */
  async tag(from, to) {
    await this.fly(this.text('slot') || '✓', from, to, { kind: 'promise' })
  }

  /** A token comes up and fades where it stands. */
  async fade(text, where) {
    const a = this.#centre(where)
    if (!a) return
    const up = { x: a.x, y: a.y - 26 }
    await this.#run(this.#token(text, 'unasked'), [at(a, 0.6, 0), { ...at(up, 1.1, 1), offset: 0.3 }, { ...at(up, 1.1, 1), offset: 0.6 }, at({ x: a.x, y: a.y - 40 }, 1, 0)], 2)
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

  // -- the lost page -------------------------------------------------------------------------------------------------

  #lostSlot(n) {
    const gone = this.trace.steps[n - 1].find(([cell, , value]) => cell.startsWith('slot/') && cell.endsWith('.state') && (value === 'lost' || value === 'absent'))
    return gone && this.scene.find(gone[0].slice(0, gone[0].lastIndexOf('.')))
  }

  /** A picture of a slot as it looks now, lying exactly over it. */
  #copy(slot) {
    const sheet = slot.querySelector('.sheet')
    const svg = slot.ownerSVGElement
    const box = sheet?.getBoundingClientRect()
    if (!box?.width) return undefined
    const copy = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    const { width, height } = slot.querySelector('rect').getBBox()
    copy.setAttribute('viewBox', `-2 -2 ${width + 4} ${height + 4}`)
    copy.setAttribute('class', svg.getAttribute('class'))
    const inside = slot.cloneNode(true)
    inside.removeAttribute('transform')
    inside.removeAttribute('data-at')
    copy.append(inside)
    const holder = document.createElement('div')
    holder.className = 'torn'
    holder.append(copy)
    Object.assign(holder.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px` })
    return holder
  }

  async #tear(holder) {
    this.overlay.append(holder)
    this.#litter.add(holder)
    await this.#animate(holder, [
      { transform: 'none', opacity: 1 },
      { transform: 'rotate(-5deg) translateY(-6px)', opacity: 1, offset: 0.2 },
      { transform: 'rotate(9deg) translate(14px, 30px)', opacity: 1, offset: 0.45 },
      { transform: 'rotate(38deg) translate(90px, 75vh)', opacity: 0 },
    ], 4, 'cubic-bezier(.5, 0, .9, .5)')
  }

  // -- machinery -----------------------------------------------------------------------------------------------------

  #place(where) {
    if (where.includes('.')) return this.scene.root.querySelector(where) ?? undefined
    const at = this.trace.value(`focus.${where}`)
    const phone = this.scene.find(`focus/${{ page: 'task', slot: 'page' }[where] ?? where}`)
    return (at && this.scene.find(at)) ?? phone
  }

  #centre(where) {
    const el = this.#place(where)
    const box = el?.getBoundingClientRect()
    return box?.width ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : undefined
  }

  #token(text, kind) {
    const token = document.createElement('span')
    token.className = `token ${kind}`
    token.textContent = text
    this.overlay.append(token)
    this.#litter.add(token)
    return token
  }

  async #run(token, keyframes, beats) {
    await this.#animate(token, keyframes, beats)
    token.remove()
    this.#litter.delete(token)
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

function at({ x, y }, scale, opacity) {
  return { transform: `translate(${x}px, ${y}px) translate(-50%, -50%) scale(${scale})`, opacity }
}
