// The words of work that takes a while: how far it is, and that it was stopped.

export const workZh = {
  work: {
    stop: '停止',
    progress: '已完成 {n}%',
    stopped: '已停止',
    seen: '当时的画面',
    seenOf: '{all} 次中有 {n} 次留有当时的画面：',
    seenNone: '这些时刻没有留下画面（当时没有规则拍照，或证据已过保存期）。',
    takenAt: '拍于 {time}',
    incident: '看事件',
    shot: '有画面',
  },
}

export type WorkMessages = typeof workZh

export const workEn: WorkMessages = {
  work: {
    stop: 'Stop',
    progress: '{n}% done',
    stopped: 'Stopped',
    seen: 'What was seen',
    seenOf: 'Pictures of {n} of these {all} moments:',
    seenNone: 'No pictures of these moments: no rule took any then, or their time is over.',
    takenAt: 'taken at {time}',
    incident: 'Incident',
    shot: 'pictures',
  },
}
