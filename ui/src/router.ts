import { createRouter, createWebHashHistory, type Router } from 'vue-router'
import DeskPage from '@/pages/DeskPage.vue'
import DevicesPage from '@/pages/DevicesPage.vue'
import IncidentPage from '@/pages/IncidentPage.vue'

// Hash routing: the hub serves one file at `/`, and a link to an incident works behind any proxy path.
export function makeRouter(): Router {
  return createRouter({
    history: createWebHashHistory(),
    routes: [
      { path: '/', name: 'desk', component: DeskPage },
      { path: '/devices', name: 'devices', component: DevicesPage },
      { path: '/devices/:integration/:name', name: 'device', component: () => import('@/pages/DevicePage.vue'), props: true },
      { path: '/health', name: 'health', component: () => import('@/pages/HealthPage.vue') },
      { path: '/search', name: 'search', component: () => import('@/pages/SearchPage.vue') },
      { path: '/firmware', name: 'firmware', component: () => import('@/pages/FirmwarePage.vue') },
      { path: '/sight', name: 'sight', component: () => import('@/pages/SightPage.vue') },
      { path: '/tour', name: 'tour', component: () => import('@/pages/TourPage.vue') },
      { path: '/find', name: 'find', component: () => import('@/pages/FindPage.vue') },
      { path: '/plan', name: 'plan', component: () => import('@/pages/PlanPage.vue') },
      { path: '/begin', name: 'begin', component: () => import('@/pages/BeginPage.vue') },
      { path: '/account', name: 'account', component: () => import('@/pages/AccountPage.vue') },
      { path: '/users', name: 'users', component: () => import('@/pages/UsersPage.vue') },
      { path: '/audit', name: 'audit', component: () => import('@/pages/AuditPage.vue') },
      { path: '/evidence', name: 'evidence', component: () => import('@/pages/EvidencePage.vue') },
      { path: '/reports', name: 'reports', component: () => import('@/pages/ReportsPage.vue') },
      { path: '/rules', name: 'rules', component: () => import('@/pages/RulesPage.vue') },
      { path: '/rules/:id', name: 'rule', component: () => import('@/pages/RuleEditorPage.vue'), props: true },
      { path: '/incidents/:id', name: 'incident', component: IncidentPage, props: true },
      { path: '/roster', name: 'roster', component: () => import('@/pages/RosterPage.vue') },
      { path: '/handover', name: 'handover', component: () => import('@/pages/HandoverPage.vue') },
      { path: '/:rest(.*)*', redirect: '/' },
    ],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
}
