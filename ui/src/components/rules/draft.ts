// The draft that the fields below an editor page are about.
import type { InjectionKey } from 'vue'
import type { DraftStore } from '@/stores/draft'

export const DRAFT: InjectionKey<DraftStore> = Symbol('draft')
