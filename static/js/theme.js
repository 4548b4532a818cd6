/** Runs before the first paint: the remembered theme, and the mark that says scripts run. Works without storage too. */
{
  const root = document.documentElement
  root.dataset.script = ''
  const stored = () => { try { return localStorage.getItem('theme') } catch { return null } }
  const remember = theme => { try { localStorage.setItem('theme', theme) } catch { /* private windows may refuse */ } }
  if (stored()) root.dataset.theme = stored()

  const dark = () => (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark'
  document.addEventListener('click', event => {
    if (!event.target.closest?.('[data-do="theme"]')) return
    root.dataset.theme = dark() ? 'light' : 'dark'
    remember(root.dataset.theme)
  })

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
