// The words of work that takes a while: how far it is, and that it was stopped.

export const workZh = {
  work: {
    stop: '停止',
    progress: '已完成 {n}%',
    stopped: '已停止',
  },
}

export type WorkMessages = typeof workZh

export const workEn: WorkMessages = {
  work: {
    stop: 'Stop',
    progress: '{n}% done',
    stopped: 'Stopped',
  },
}
