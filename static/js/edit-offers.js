/** What may stand at a place of a scenario's text. Pure. */

const MAPPED = ['files', 'tasks']
const VALUES = { kernel: 'kernels', thread_of: 'tasks', child_of: 'tasks', user: 'user', owner: 'user' }

/** What fits at a place: `found`, and how much of it is `typed` already. */
export function offers(text, at, words, names) {
  const before = text.slice(0, at)
  const line = before.slice(before.lastIndexOf('\n') + 1)
  if (/(^|\s)#/.test(line)) return { found: [], typed: '' }
  const path = enclosing(before)
  const [typed] = line.match(/[\w-]*$/)
  const all = inScript(line, path) ? ofScript(before, line, words, names) : ofText(line, path, words, names)
  const wanted = typed.toLowerCase()
  return { found: all.filter(each => each.word.toLowerCase().startsWith(wanted)), typed }
}

/** The keys around the last line of a text, from the outside in, by how far they are indented. */
export function enclosing(before) {
  const rows = before.split('\n')
  let depth = depthOf(rows.pop())
  const path = []
  for (const row of rows.reverse()) {
    const [, space, key] = row.match(/^(\s*)(?:- )?([\w-]+):\s*(?:#.*)?$/) ?? []
    if (key === undefined || space.length >= depth) continue
    path.unshift(key)
    depth = space.length
  }
  return path
}

/** An item of a list may stand as far left as the key of the list. */
const depthOf = line => line.match(/^\s*/)[0].length + (/^\s*-/.test(line) ? 1 : 0)

const inScript = (line, path) => path.at(-1) === 'script' ? /^\s*- /.test(line) : /^\s*script:\s*\[/.test(line)

/** The call whose arguments the caret stands in, and which of them. */
export function callAround(before, calls) {
  const line = before.slice(before.lastIndexOf('\n') + 1)
  let depth = 0
  let commas = 0
  for (let n = line.length - 1; n >= 0; n -= 1) {
    if (line[n] === ')' || line[n] === ']') depth += 1
    else if (line[n] === ',' && depth === 0) commas += 1
    else if (line[n] === '[' && depth > 0) depth -= 1
    else if (line[n] === '(' && depth > 0) depth -= 1
    else if (line[n] === '(') {
      const name = line.slice(0, n).match(/\w*$/)[0]
      const call = calls.find(each => each.name === name)
      return call && { call, at: Math.min(commas, call.arguments.length - 1) }
    }
  }
  return undefined
}

function ofScript(before, line, words, names) {
  const around = callAround(before, words.calls)
  const variables = [...new Set([...before.matchAll(/(\w+)\s*=\s*(mmap|open)\(/g)].map(([, name, by]) => `${by} ${name}`))]
  const made = by => variables.filter(each => each.startsWith(`${by} `)).map(each => each.slice(by.length + 1))
  if (!around) return [...words.calls.map(ofCall), ...made('mmap').map(name => plain(name, 'a mapping'))]
  const { kind, words: known, name } = around.call.arguments[around.at] ?? { kind: '', words: [] }
  const kinds = { file: [...names.file, ...made('open')], mapping: made('mmap'), task: names.task, user: names.user }
  return [...known, ...(kinds[kind] ?? [])].map(word => plain(word, name))
}

function ofText(line, path, words, names) {
  const flow = line.match(/^\s*([\w-]+):\s*\{(?:[^{}]*,)?\s*([\w-]*)$/)
  if (flow) return keysAt([...path, flow[1]], words)
  const value = line.match(/(?:^\s*|[{,]\s*)([\w-]+):\s*[\w.+-]*$/)
  if (value) return values(value[1], [...path, ...(line.match(/^\s*([\w-]+):\s*\{/)?.slice(1) ?? [])], words, names)
  if (/^\s*schedule:\s*\[/.test(line) || path.at(-1) === 'schedule') return names.tasks.map(name => plain(name, 'a task'))
  return /^\s*[\w-]*$/.test(line) ? keysAt(path, words) : []
}

/** The keys of the model that stands at a path; the second part of files and tasks is a name. */
function keysAt(path, words) {
  const place = path.map((part, n) => (n === 1 && MAPPED.includes(path[0])) || path[n - 1] === 'quota' ? '*' : part).join('/')
  return words.keys.filter(key => key.place === place).map(key => ({ word: key.name, label: `${key.name}:`, insert: `${key.name}: `, says: key.says }))
}

function values(name, path, words, names) {
  const place = path.map((part, n) => n === 1 && MAPPED.includes(path[0]) ? '*' : part).join('/')
  const key = words.keys.find(each => each.name === name && (each.place === place || each.place === place.replace(/\/[^/]+$/, '/*')))
  if (!key) return []
  const found = { kernels: words.kernels, ...names }[VALUES[name]] ?? (key.kind === 'true or false' ? ['true', 'false'] : key.words)
  return found.map(word => plain(word, ''))
}

const plain = (word, says) => ({ word, label: word, insert: word, says })
const ofCall = call => ({ word: call.name, label: call.text, insert: `${call.name}(${call.arguments.length ? '' : ')'}`, says: call.says })
