import { createApp } from 'vue'
import App from '@/App.vue'
import { takeToken } from '@/api/fragment'
import { i18n, localeTag } from '@/i18n'
import { makeRouter } from '@/router'
import { arrive } from '@/stores/arrival'
import { listenForTouch } from '@/stores/tone'
import { startTheme } from '@/stores/theme'
import { startShell } from '@/stores/version'
import '@/styles/base.css'
import '@/styles/dark.css'
import '@/styles/fields.css'
import '@/styles/table.css'

document.documentElement.lang = localeTag.value

// A sign-in link pasted into an open page comes as popstate. Heard before the router, which must never see the token as a path.
window.addEventListener('popstate', () => {
  const token = takeToken(window)
  if (token !== null) void arrive(token)
})
void arrive(takeToken(window))

startTheme()
startShell()
listenForTouch()
createApp(App).use(i18n).use(makeRouter()).mount('#app')
