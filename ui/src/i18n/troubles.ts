// What to do about the hub's own trouble, by the object of its entity (`hub.disk`).

export const troublesZh = {
  trouble: {
    disk: '主机磁盘快满了。请删除不用的文件，或缩短录像保留天数，或换更大的磁盘。满了以后警情仍会判断，但不能记录、喊话和通知。',
    journal: '主机写不进日志。警情仍在判断，横幅会写出未记录的警情：请派人去看。检查磁盘是否已满或损坏；文件损坏时请恢复备份。',
    broker: '设备消息服务断开超过一分钟，设备的消息收不到。请检查主机的网络和消息服务；恢复前请加强巡查。',
    clock: '主机时钟跳变过。请检查对时（NTP）和主板电池；这段时间的记录和录像时间可能不准。',
    cameras: '摄像机识别进程中断，正在自动重启。恢复前请看着画面或派人巡查；反复中断请看运行日志。',
  },
}

export type TroublesMessages = typeof troublesZh

export const troublesEn: TroublesMessages = {
  trouble: {
    disk: 'The disk of the hub is nearly full. Delete what is not needed, keep recordings for fewer days, or fit a larger disk. Once it is full, alarms are still decided, but not recorded, spoken or sent.',
    journal: 'The hub cannot write its journal. Alarms are still decided, and the banner names those that are not recorded: send somebody. See whether the disk is full or faulty; restore a backup where the file is damaged.',
    broker: 'The message broker has been away for over a minute, so devices are not heard. Check the network and the broker of the hub; patrol more until it is back.',
    clock: 'The clock of the hub has jumped. Check its time source (NTP) and battery; times of records and recordings near this moment may be wrong.',
    cameras: 'Camera workers ended and are started again. Until then watch the pictures or patrol; if it happens again and again, see the log.',
  },
}
