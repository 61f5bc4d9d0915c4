import { createApp } from 'vue'
import App from '@/App.vue'
import { takeToken } from '@/api/fragment'
import { i18n, localeTag } from '@/i18n'
import { makeRouter } from '@/router'
import { arrive } from '@/stores/arrival'
import { listenForTouch } from '@/stores/tone'
import '@/styles/base.css'

document.documentElement.lang = localeTag.value

// A sign-in link pasted into an open page comes as popstate. Heard before the router, which must never see the token as a path.
window.addEventListener('popstate', () => {
  const token = takeToken(window)
  if (token !== null) void arrive(token)
})
void arrive(takeToken(window))

listenForTouch()
createApp(App).use(i18n).use(makeRouter()).mount('#app')
