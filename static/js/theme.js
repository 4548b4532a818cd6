/** Runs before the first paint: the remembered theme, the first visit, the mark that says scripts run. Works without storage too. */
{
  const root = document.documentElement
  if ('noModule' in HTMLScriptElement.prototype) root.dataset.script = ''
  const stored = () => { try { return localStorage.getItem('theme') ?? '' } catch { return '' } }
  const remember = theme => { try { localStorage.setItem('theme', theme) } catch { /* private windows may refuse */ } }

  /* Who was never here before is led on to what the page names for them, once, unless something on it was asked for. Crawlers
     remember nothing, and are to find the page itself. */
  const { first } = document.currentScript.dataset
  const isNew = () => { try { const seen = localStorage.getItem('visited'); localStorage.setItem('visited', '1'); return !seen } catch { return false } }
  if (isNew() && first && !location.search && !location.hash && !/bot|crawl|spider/i.test(navigator.userAgent)) {
    root.hidden = true
    location.replace(first)
  }

  /* More contrast is a style sheet that is always there: for who asks the system for it, or for everybody who chooses it. */
  const wear = theme => {
    root.dataset.theme = theme
    document.querySelector('#contrast').media = theme.startsWith('contrast') ? 'all' : '(prefers-contrast: more)'
  }
  const tick = () => {
    for (const choice of document.querySelectorAll('[name="theme"]')) choice.checked = choice.value === root.dataset.theme
  }
  wear(stored())
  document.addEventListener('change', event => {
    if (event.target.name !== 'theme') return
    wear(event.target.value)
    remember(event.target.value)
    tick()
  })
  document.addEventListener('DOMContentLoaded', tick)

  /* A key that comes before the scripts do is kept for them (keys.js). */
  root.onkeydown = event => { root.early = event }

  /* Menus made of <details>: a click elsewhere or Escape closes them. */
  const open = () => document.querySelectorAll('details.chooser[open]')
  document.addEventListener('click', event => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false
  })
  document.addEventListener('keydown', event => {
    if (event.key !== 'Escape') return
    for (const menu of open()) {
      menu.open = false
      menu.querySelector('summary').focus()
      event.preventDefault()
    }
  })
}
