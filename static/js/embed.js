/**
 * A player in a frame and the page around it, by messages. In: {type: 'goto', step} or {type: 'goto', at: event}, 'play', 'pause',
 * 'ping'. Out, whenever it changes and to a ping: {type: 'state', step, steps, event, outcome, playing, height}. Nothing in it is secret,
 * so every page may listen; only the page that holds the frame is listened to.
 */
import './fault-player.js'

const player = document.querySelector('fault-player')

function tell() {
  if (parent === window) return
  parent.postMessage({
    type: 'state', step: player.at, steps: player.length, event: player.event, outcome: player.dataset.outcome,
    playing: player.transport.playing, height: document.documentElement.scrollHeight,
  }, '*')
}

/** The step that a message means; undefined when it means none. */
function meant({ step, at }) {
  if (typeof at === 'string') return player.named(at)
  return Number.isInteger(step) ? Math.max(0, Math.min(step, player.length)) : undefined
}

const DOES = {
  goto: message => { const to = meant(message); if (to !== undefined) player.jump(to) },
  play: () => { if (!player.transport.playing) player.transport.play() },
  pause: () => player.transport.pause(),
  ping: tell,
}

window.addEventListener('message', event => {
  if (event.source !== parent || typeof event.data !== 'object' || event.data === null) return
  if (Object.hasOwn(DOES, event.data.type)) DOES[event.data.type](event.data)
})
player.addEventListener('fault:step', tell)
player.addEventListener('fault:play', tell)
tell()
