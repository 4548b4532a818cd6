/**
 * A live room: it tells the theatre which step to show, or the class which step is shown. The theatre knows nothing of it; it
 * says its step by `fault:step`, and the room compares.
 *
 * Who follows may go anywhere: at another step than the class's they wander, and come back by a button, or by coming there.
 */
import { Ask } from './live-ask.js'
import { Leader } from './live-leader.js'
import { Stream } from './live-stream.js'

const NET = {
  connecting: 'Connecting…',
  live: 'Connected',
  polling: 'Connected, slowly',
  lost: 'No connection',
  over: 'The room is over',
}
const TOLD = ['voice', 'story', 'predict']

const bar = document.querySelector('#live')
const room = bar.dataset.room
const driver = bar.dataset.role === 'driver'
const find = name => bar.querySelector(`[data-live="${name}"]`)
const theatre = () => document.querySelector('fault-theatre')

let state
let following = !driver
let acknowledged = 0
let wanted
let sending = false
let asking = false

/** The address of a run, however it is told. */
function bare(url) {
  const [path, query = ''] = url.split('?')
  const parts = query.split('&').filter(part => part && !TOLD.includes(part.split('=')[0]))
  return parts.length ? `${path}?${parts.join('&')}` : path
}

const here = () => ({ run: bare(theatre().dataset.self), step: theatre().at })
const isHere = there => { const at = here(); return at.run === there.run && at.step === there.step }

/** Show where the class is: a step of this run, or another run. */
function show({ run, step }) {
  following = true
  theatre().transport?.pause()
  if (here().run === run) theatre().go(step)
  else htmx.ajax('GET', `${run}${run.includes('?') ? '&' : '?'}step=${step}`, { target: '#theatre', select: '#theatre', swap: 'outerHTML' })
}

function hear(said) {
  if (said.over) return over()
  if (state && said.sequence < state.sequence) return
  if (driver !== (said.followers !== undefined)) return differs()
  state = said
  if (driver) follow()
  else if (following && !isHere(said)) show(said)
  paint()
}

/**
 * The stream is that of a driver and this page is not, or the other way round: the room was handed over. The page is made anew,
 * or the stream, whichever is out of date.
 */
async function differs() {
  if (asking) return
  asking = true
  const now = await fetch(`${room}/state`, { cache: 'no-store' }).then(answer => answer.ok ? answer.json() : undefined, () => undefined)
  asking = false
  if (!now || now.over) return
  if (driver === (now.followers !== undefined)) leader.again()
  else location.reload()
}

/** Another tab of who drives has moved: this one goes along, unless it has something to say itself. */
function follow() {
  if (sending || wanted || state.sequence <= acknowledged || isHere(state)) return
  show(state)
}

function paint() {
  ask.show(state?.ask, { driver, over: bar.dataset.net === 'over' })
  if (driver) {
    find('followers').textContent = state?.followers ?? 0
    const open = state?.ask && state.ask.right === undefined
    find('ask').hidden = !open && !theatre().trace?.asks.has(theatre().at + 1)
    find('ask').textContent = open ? 'Show the answer' : 'Ask the class'
    return
  }
  bar.toggleAttribute('data-wanders', !following)
  bar.querySelector('.where').hidden = following || !state
  find('step').textContent = state?.step ?? ''
  find('catch-up').hidden = following
}

function over() {
  bar.dataset.net = 'over'
  bar.querySelector('.net').textContent = NET.over
  for (const control of bar.querySelectorAll('button, .chooser, [data-live="catch-up"], .where')) control.hidden = true
  ask.show(undefined, {})
  delete bar.dataset.room
}

function net(how) {
  if (bar.dataset.net === 'over') return
  bar.dataset.net = how
  bar.querySelector('.net').textContent = NET[how]
}

const send = (part, said = {}) => fetch(`${room}/${part}`, { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams(said) })

/** Tell the class where this is. Only the newest step counts: while one is on its way, later ones wait, and all but the last go. */
async function tell() {
  if (sending) return
  sending = true
  while (wanted) {
    const step = wanted
    wanted = undefined
    const answer = await send('step', step).catch(() => undefined)
    if (answer?.ok) acknowledged = (await answer.json()).sequence
    else if (answer?.status === 403) return location.reload()
    else if (answer?.status === 410 || answer?.status === 404) return over()
    else {
      wanted ??= step
      net('lost')
      await new Promise(done => setTimeout(done, 1000))
    }
  }
  sending = false
}

const ask = new Ask(document.querySelector('#asked'), {
  async vote(choice) {
    const cast = () => send('votes', { choice })
    const answer = await (navigator.locks ? navigator.locks.request(`${room} vote`, cast) : cast()).catch(() => undefined)
    if (answer?.ok) ask.said(choice, 'Counted. You may change your mind while the question stands.')
    else ask.said(undefined, answer?.status === 409 ? 'Too late: the answer is shown.' : 'Not counted: no connection.')
  },
})

document.addEventListener('fault:step', () => {
  if (!state) return
  if (!driver) following = isHere(state)
  else if (bar.dataset.room && !isHere(wanted ?? state)) { wanted = here(); tell() }
  paint()
})

find('catch-up')?.addEventListener('click', event => {
  event.preventDefault()
  show(state)
})
find('invite')?.addEventListener('click', () => document.querySelector('#invite').showModal())
find('ask')?.addEventListener('click', async () => {
  const open = state?.ask && state.ask.right === undefined
  if (open) return theatre().go(state.ask.step)
  await send('ask', { step: theatre().at + 1 })
})
find('code')?.addEventListener('click', async () => {
  const answer = await send('code').catch(() => undefined)
  bar.querySelector('.code').textContent = answer?.ok ? await answer.text() : 'No connection: try again.'
})
find('end')?.addEventListener('click', () => send('end'))

const stream = new Stream(room, { hear: said => leader.say({ said }), net: how => leader.say({ how }) })
const leader = new Leader(`pagefate ${room}`, {
  lead: () => queueMicrotask(() => stream.start()),
  rest: () => stream.stop(),
  hear: ({ said, how }) => { if (how) net(how); if (said) hear(said) },
})
