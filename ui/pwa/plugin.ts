// Writes sw.js into the build, with the names of what the first page loads.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

export function serviceWorker(): Plugin {
  return {
    name: 'menshen-service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const index = bundle['index.html']
        const html = index?.type === 'asset' ? String(index.source) : ''
        const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((found) => found[1])
        const shell = JSON.stringify(['./', ...new Set(first), 'manifest.webmanifest', 'icon-192.png'])
        const version = createHash('sha256').update(shell + html).digest('hex').slice(0, 12)
        const source = readFileSync(new URL('./sw.js', import.meta.url), 'utf8')
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: source.replace('__SHELL__', shell).replace('__VERSION__', version) })
      },
    },
  }
}
