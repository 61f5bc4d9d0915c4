import { beforeEach } from 'vitest'
import { setLanguage } from '@/i18n'

beforeEach(() => setLanguage('zh'))
