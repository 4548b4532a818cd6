/**
 * In front of a class: large type, the whole screen, a screen that stays awake, a pointer that hides when it rests, and a
 * blank screen at a key. It outlives the theatre, so that another kernel does not end the presentation.
 */
const IDLE = 2500

let on = false
let lock
let idle

/** Start or end presenting; the theatre that is there shows it by an attribute. */
export function present(start) {
  on = start
  show()
  if (on) document.documentElement.requestFullscreen?.().catch(() => {})
  else if (document.fullscreenElement) document.exitFullscreen()
}

export const presenting = () => on

/** Let a theatre that has just come join in. */
export function show() {
  document.querySelector('fault-theatre')?.toggleAttribute('data-present', on)
  document.documentElement.toggleAttribute('data-idle', false)
  awake()
}

/** A wake lock holds while the page is seen: the browser takes it away with the tab, so it is asked for again. */
function awake() {
  const wanted = on && document.visibilityState === 'visible'
  if (wanted) lock ??= hold()
  else if (lock) {
    lock.then(held => held?.release())
    lock = undefined
  }
}

const hold = async () => navigator.wakeLock?.request('screen').catch(() => undefined)

document.addEventListener('visibilitychange', awake)
document.addEventListener('fullscreenchange', () => {
  on = Boolean(document.fullscreenElement)
  show()
})
document.addEventListener('pointermove', () => {
  clearTimeout(idle)
  document.documentElement.toggleAttribute('data-idle', false)
  if (on) idle = setTimeout(() => document.documentElement.toggleAttribute('data-idle', on), IDLE)
})

/* The button of a remote that starts a show sends F5; in front of a class that must not load the page again. */
document.addEventListener('keydown', event => { if (on && event.key === 'F5') event.preventDefault() })

/** Nothing but black, until any key or a click. */
export function blank() {
  const dialog = document.querySelector('#blank')
  const leave = new AbortController()
  const back = event => {
    event.preventDefault()
    leave.abort()
    dialog.close()
  }
  dialog.addEventListener('keydown', back, { signal: leave.signal })
  dialog.addEventListener('click', back, { signal: leave.signal })
  dialog.addEventListener('close', () => { if (!dialog.open) leave.abort() }, { signal: leave.signal })
  dialog.showModal()
}
