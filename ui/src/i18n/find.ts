// The words of the page on which is found again what passed the cameras.

export const findZh = {
  find: {
    link: '找',
    title: '找：谁经过了这里',
    hint: '按时间、摄像机、类别和颜色查找经过的人和车。每次查找和看到的图片都会记录在操作记录里。',
    from: '从',
    to: '到',
    cameras: '摄像机',
    allCameras: '全部摄像机',
    kind: '类别',
    upper: '上半身／车顶颜色',
    lower: '下半身／车身颜色',
    any: '不限',
    go: '查找',
    more: '继续往后找',
    none: '这段时间没有符合的记录。',
    noneHint: '放宽颜色或时间再试：光线会让颜色偏灰或偏黑。没有安装识别模型时，人和车都记为“物体”。',
    wrong: '开始时间要早于结束时间。',
    count: '已显示 {n} 条，按时间先后',
    lasted: '停留 {s} 秒',
    incident: '查看事件和录像',
    alt: '{time}，{camera}，{kind}，上{upper}下{lower}',
    looks: '上{upper} · 下{lower}',
    kept: '记录最多保存 30 天，不进备份，不作证据。颜色由程序判断，可能有误。',
    kinds: { vehicle: '车辆', person: '人', bicycle: '自行车／电动车', ebike: '电动自行车', wheelchair: '轮椅', pram: '婴儿车', plate: '车牌', other: '物体' },
    colours: {
      black: '黑', grey: '灰', white: '白', red: '红', orange: '橙', yellow: '黄', green: '绿', blue: '蓝', purple: '紫', pink: '粉', brown: '棕',
    },
  },
}

export type FindMessages = typeof findZh

export const findEn: FindMessages = {
  find: {
    link: 'Find',
    title: 'Find: who passed here',
    hint: 'Find people and vehicles that passed by time, camera, class and colour. Every search, and each picture shown, is written into the audit trail.',
    from: 'From',
    to: 'To',
    cameras: 'Camera',
    allCameras: 'All cameras',
    kind: 'Class',
    upper: 'Colour above (jacket, roof)',
    lower: 'Colour below (trousers, body)',
    any: 'Any',
    go: 'Find',
    more: 'Go on from here',
    none: 'Nothing like this in that time.',
    noneHint: 'Try more colours or a longer time: light makes colours greyer or darker. Without a model people and vehicles are kept as “thing”.',
    wrong: 'The begin must lie before the end.',
    count: '{n} shown, in order of time',
    lasted: 'stayed {s} s',
    incident: 'Incident and clip',
    alt: '{time}, {camera}, {kind}, {upper} above, {lower} below',
    looks: '{upper} above · {lower} below',
    kept: 'Kept for 30 days at most, in no backup, and no evidence. Colours are judged by a program and may be wrong.',
    kinds: { vehicle: 'Vehicle', person: 'Person', bicycle: 'Bicycle or e-bike', ebike: 'E-bike', wheelchair: 'Wheelchair', pram: 'Pram', plate: 'Number plate', other: 'Thing' },
    colours: {
      black: 'black', grey: 'grey', white: 'white', red: 'red', orange: 'orange', yellow: 'yellow', green: 'green', blue: 'blue', purple: 'purple', pink: 'pink', brown: 'brown',
    },
  },
}
