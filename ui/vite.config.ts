import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { serviceWorker } from './pwa/plugin'

// `npm run dev` talks to a running hub, or to `npm run mock`, both on the hub's own port unless MENSHEN_HUB says otherwise.
const hub = process.env.MENSHEN_HUB ?? 'http://127.0.0.1:8420'

export default defineConfig({
  base: './',
  plugins: [vue(), serviceWorker()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_OPTIONS_API__: 'true', __VUE_I18N_LEGACY_API__: 'false', __INTLIFY_PROD_DEVTOOLS__: 'false' },
  server: { proxy: { '/api': { target: hub, ws: true } } },
  build: {
    target: 'es2022', // Chromium 100 and Safari 16: what an office PC of 2022 runs
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['tests/setup.ts'],
    include: ['tests/**/*.test.ts'],
    server: { deps: { inline: ['element-plus'] } },
    restoreMocks: true,
    testTimeout: 20_000, // the page's tests import whole pages; 5 s is too short for a busy machine
  },
})
