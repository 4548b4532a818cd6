/**
 * What travels when a step happens. Only ornament: the picture is already right when a motion starts, so skipping,
 * interrupting or switching it off can never leave it wrong. Web Animations only; keyed by "function.step".
 */
const still = matchMedia('(prefers-reduced-motion: reduce)')

export class Motion {
  #running = new Set()
  #ghosts = []

  constructor(scene, trace, overlay) {
    Object.assign(this, { scene, trace, overlay })
  }

  /** Called just before the picture changes: keep the look of what is about to go. */
  before(n) {}
  async after(rate) {}
  cancel() {}
}
