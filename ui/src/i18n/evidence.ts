// The words of evidence: the package for the police, the view log, the head of the chain.

export const evidenceZh = {
  proof: {
    title: '证据',
    link: '证据',
    hint: '门神把感知、判定、操作、查看与导出记成一条散列链。把链头抄下来或发给别人保存，日后就能证明记录没有被整体重写。',
    head: '链头',
    headAt: '第 {n} 环，{time}',
    key: '站点公钥指纹',
    print: '打印',
    stamps: '第三方时间戳：已盖 {done} 个，等待 {waiting} 个',
    noTsa: '没有配置时间戳服务（hub.yaml 的 evidence.tsa）；请每天打印或抄录链头。',
    verify: '现在核验',
    holds: '完好：{rows} 行记录，{files} 个文件',
    broken: '有 {n} 处不符',
    strays: '另有 {n} 个文件不在日志中',
    export: '导出证据',
    exportHint: '签名的 ZIP：封面、图像与声音、感知与判定、设备在线率、时钟、查看记录、散列链。导出本身也会记录。',
    exporting: '正在打包…',
    views: '查看记录',
    noViews: '还没有人查看',
  },
}

export type EvidenceMessages = typeof evidenceZh

export const evidenceEn: EvidenceMessages = {
  proof: {
    title: 'Evidence',
    link: 'Evidence',
    hint: 'Menshen chains by hashes what was sensed, decided, done, viewed and exported. Write the head down or send it to somebody: with it one can prove later that the records were not written anew.',
    head: 'Head of the chain',
    headAt: 'link {n}, {time}',
    key: "Fingerprint of the site's key",
    print: 'Print',
    stamps: 'Time stamps of a third party: {done} made, {waiting} waiting',
    noTsa: 'No time-stamp authority is configured (evidence.tsa in hub.yaml); print or write down the head every day.',
    verify: 'Verify now',
    holds: 'It holds: {rows} rows, {files} files',
    broken: '{n} things do not hold',
    strays: '{n} more files are not in the journal',
    export: 'Export evidence',
    exportHint: 'A signed ZIP: cover, pictures and sounds, what was sensed and decided, availability of devices, clock, view log, hash chain. The export itself is recorded.',
    exporting: 'Packing…',
    views: 'View log',
    noViews: 'Nobody has viewed it yet',
  },
}
