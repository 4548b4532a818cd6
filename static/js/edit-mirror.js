/** The text again, tinted, under the one that is typed; and the numbers of its lines. */

const TOKEN = /(?<note>(?:^|\s)#.*$)|(?<text>(?<![\w])(?:"[^"]*"?|'[^']*'?))|(?<key>^\s*(?:- )?[\w@.+-]+(?=:(?:\s|$))|(?<=[{,]\s*)[\w]+(?=:\s))|(?<call>\b[a-z_]+(?=\())|(?<word>\b[A-Z]{3,}(?:_[A-Z]+)*\b)|(?<size>\b\d+[PBKMGTsmhd]?\b)/gu

export function mirror(pre, text, wrong) {
  pre.replaceChildren(...text.split('\n').map((line, n) => tinted(line, wrong.has(n + 1))))
}

function tinted(line, isWrong) {
  const row = document.createElement('span')
  row.toggleAttribute('data-wrong', isWrong)
  let end = 0
  for (const found of line.matchAll(TOKEN)) {
    const part = document.createElement('span')
    part.className = Object.keys(found.groups).find(kind => found.groups[kind] !== undefined)
    part.textContent = found[0]
    row.append(line.slice(end, found.index), part)
    end = found.index + found[0].length
  }
  row.append(line.slice(end) || (end ? '' : '\u200b'))
  return row
}

export function lines(list, text, wrong) {
  const count = text.split('\n').length
  while (list.children.length > count) list.lastElementChild.remove()
  while (list.children.length < count) list.append(document.createElement('li'))
  for (const [n, each] of [...list.children].entries()) each.toggleAttribute('data-wrong', wrong.has(n + 1))
}
