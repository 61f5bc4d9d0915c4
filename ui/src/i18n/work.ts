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
    group: { duty: '值班', place: '小区', past: '记录', people: '人员', links: '链接' },
    onCamera: '在摄像机画面上画“{zone}”',
    backToPlan: '回到平面图',
    onPlan: '在平面图上看',
    drawing: '正在为“{zone}”画范围：选好摄像机和看什么，按“下一步”。',
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
    group: { duty: 'Duty', place: 'Place', past: 'Records', people: 'People', links: 'Links' },
    onCamera: 'Draw “{zone}” on a camera’s picture',
    backToPlan: 'Back to the plan',
    onPlan: 'See it on the plan',
    drawing: 'For “{zone}”: choose the camera and what it looks for, then go on.',
  },
}
