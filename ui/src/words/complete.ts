// What may be written at the cursor of a rule's YAML: keys and values of its JSON Schema, and the names of this site.
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'

/** The parts of JSON Schema that the hub's schema of a rule uses. */
export interface Schema {
  $ref?: string
  $defs?: Record<string, Schema>
  properties?: Record<string, Schema>
  items?: Schema
  oneOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  type?: string
  examples?: string[]
  description?: string
}

/** Names of the site, by the key that they stand behind. */
export type Names = Record<string, Completion[]>

/** The alternatives that a schema stands for. */
function options(schema: Schema, root: Schema): Schema[] {
  if (schema.$ref !== undefined) return options(root.$defs?.[schema.$ref.split('/').at(-1)!] ?? {}, root)
  return schema.oneOf ? schema.oneOf.flatMap((one) => options(one, root)) : [schema]
}

/** The schemas at a path of keys; a list counts as its entries. */
export function schemasAt(root: Schema, path: readonly string[]): Schema[] {
  const entries = (all: Schema[]): Schema[] => all.flatMap((one) => (one.items ? entries(options(one.items, root)) : [one]))
  let here = options(root, root)
  for (const key of path) {
    here = entries(here).flatMap((one) => (one.properties?.[key] ? options(one.properties[key], root) : []))
  }
  return entries(here)
}

const KEY = /^(\s*)((?:- +)*)([\w]+):(?:\s|$)/

/** The keys above a place: those of lines that are indented less, then those of open braces on the line itself. */
export function pathAt(before: readonly string[], line: string): { path: string[]; value: string | null } {
  const path: string[] = []
  const dashes = /^(\s*(?:- +)*)/.exec(line)![1]!
  let column = dashes.length
  for (let index = before.length - 1; index >= 0 && column > 0; index -= 1) {
    const match = KEY.exec(before[index]!)
    if (!match) continue
    const at = match[1]!.length + match[2]!.length
    if (at < column && (at < dashes.length || match[1]!.length < column)) {
      path.unshift(match[3]!)
      column = at === match[1]!.length ? at : match[1]!.length
      if (match[2]) column = match[1]!.length + 1
    }
  }
  let value: string | null = null
  for (const [token] of line.slice(dashes.length).matchAll(/"[^"]*"|[\w]+:(?=\s|$)|[{}[\],]/g)) {
    if (token.endsWith(':')) value = token.slice(0, -1)
    else if (token === '{') {
      if (value !== null) path.push(value)
      value = null
    } else if (token === ',') value = null
    else if (token === '}') value = path.pop() ?? null
  }
  return { path, value }
}

/** Ask for completions of a document whose cursor stands behind `text`. */
export function completions(root: Schema, names: Names, text: string): Completion[] {
  const lines = text.split('\n')
  const line = lines.pop()!.replace(/[\w]*$/, '')
  const { path, value } = pathAt(lines, line)
  if (value === null) {
    const found = new Map<string, Completion>()
    for (const schema of schemasAt(root, path)) {
      for (const [key, said] of Object.entries(schema.properties ?? {})) {
        found.set(key, { label: key, apply: `${key}: `, type: 'property', ...(said.description ? { info: said.description } : {}) })
      }
    }
    return found.size ? [...found.values()] : names[path.at(-1) ?? ''] ?? []
  }
  const words = schemasAt(root, [...path, value]).flatMap((one) => [...(one.enum ?? []), ...(one.const === undefined ? [] : [one.const]),
    ...(one.examples ?? []), ...(one.type === 'boolean' ? ['true', 'false'] : [])])
  return [...(names[value] ?? []), ...[...new Set(words)].map((word) => ({ label: String(word), type: 'enum' }))]
}

/** The source for CodeMirror; both are asked for when needed, as they arrive after the editor. */
export function completeRule(root: () => Schema | null, names: () => Names): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const schema = root()
    const word = context.matchBefore(/[\w]*/)
    if (schema === null || (!context.explicit && word?.text === '')) return null
    const found = completions(schema, names(), context.state.doc.sliceString(0, context.pos))
    return found.length ? { from: word?.from ?? context.pos, options: found, validFor: /^[\w]*$/ } : null
  }
}
