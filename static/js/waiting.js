import { meaning, press } from './keys.js'

/**
 * Before a theatre plays: what this returns presses the last key or button again that was pressed in vain. A link never is.
 */
export function pressed(theatre, signal) {
  const early = new AbortController()
  signal.addEventListener('abort', () => early.abort())
  let again = () => {}
  document.addEventListener('keydown', event => {
    if (!meaning(event)) return
    event.preventDefault()
    again = () => press(event)
  }, { signal: early.signal })
  theatre.addEventListener('click', event => {
    const button = event.target.closest('button[type="button"]:not([data-tab])')
    if (button) again = () => button.click()
  }, { signal: early.signal })
  return () => { early.abort(); again() }
}
