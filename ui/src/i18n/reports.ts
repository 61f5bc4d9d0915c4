// The words of the reports page; the tables bring their own from the hub, the same as in the PDF.

export const reportsZh = {
  reports: {
    link: '报表',
    title: '报表',
    period: '周期',
    span: { day: '日报', week: '周报', month: '月报' },
    at: { day: '日期', week: '周', month: '月份' },
    earlier: '上一期',
    later: '下一期',
    counting: '正在统计',
    drawing: '正在生成文件…',
    print: '打印',
    pdf: '下载 PDF',
    xlsx: '下载 Excel',
    mails: '邮件发送',
    mailsNone: '没有人通过邮件收到报表。在 hub.yaml 的 reports 里写明周期和联系人。',
    mailLast: '上次：{at}，{time} 发出',
    mailNever: '尚未发送',
    mailNext: '下次：{at}，{time}',
    none: '本期无记录',
    unknown: '无数据',
    noFont: '主机上没有中文字体，无法生成 PDF：请安装软件包 fonts-noto-cjk。',
    noExtra: '主机上没有安装报表组件（report）。',
  },
}

export type ReportsMessages = typeof reportsZh

export const reportsEn: ReportsMessages = {
  reports: {
    link: 'Reports',
    title: 'Reports',
    period: 'Period',
    span: { day: 'Daily', week: 'Weekly', month: 'Monthly' },
    at: { day: 'Date', week: 'Week', month: 'Month' },
    earlier: 'Earlier',
    later: 'Later',
    counting: 'Counting',
    drawing: 'Making the file…',
    print: 'Print',
    pdf: 'Download PDF',
    xlsx: 'Download Excel',
    mails: 'By e-mail',
    mailsNone: 'Nobody gets reports by e-mail. The section reports of hub.yaml says which, and to whom.',
    mailLast: 'last: {at}, sent {time}',
    mailNever: 'not sent yet',
    mailNext: 'next: {at}, {time}',
    none: 'Nothing in this period',
    unknown: 'no data',
    noFont: 'The hub has no font with Chinese characters for a PDF: install the package fonts-noto-cjk.',
    noExtra: 'The hub lacks its extra for reports.',
  },
}
