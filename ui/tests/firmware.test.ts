// How far a node is, and why: what the hub says, in the words of the page.
import { beforeEach, describe, expect, it } from 'vitest'
import { setLanguage } from '@/i18n'
import { reasonWords, standWords } from '@/words/firmware'

const unit = { name: 'pole', model: 'm', version: '1.0.0', online: true, stand: 'updating', phase: 'upload', share: 0.456, reason: '' }

describe('the words of the firmware', () => {
  beforeEach(() => setLanguage('zh'))

  it('says how far a node is', () => {
    expect(standWords(unit, true)).toBe('正在上传 46%')
    expect(standWords({ ...unit, phase: '' }, true)).toBe('正在检查')
    expect(standWords({ ...unit, stand: 'waiting' }, true)).toBe('等待')
    expect(standWords({ ...unit, stand: 'waiting' }, false)).toBe('没有开始')
    expect(standWords({ ...unit, stand: '' }, true)).toBe('')
    expect(standWords({ ...unit, stand: 'dancing' }, true)).toBe('dancing')
  })

  it('says why, also with the name of a node before it', () => {
    expect(reasonWords('n03: battery at 12 %')).toBe('n03：电量只有 12%')
    expect(reasonWords('self-test of the new image failed: no magnetometer')).toBe('新固件自检不通过：no magnetometer')
    expect(reasonWords('something new')).toBe('something new')
    setLanguage('en')
    expect(reasonWords('stopped by 陈经理')).toBe('stopped by 陈经理')
  })
})
