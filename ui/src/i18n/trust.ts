// The words of the page's certificate.

export const trustZh = {
  trust: {
    title: '安全连接',
    off: '本页没有加密。只在这台机器上使用时无妨；要在手机和其他电脑上使用，请管理员运行 menshen tls init，并在 hub.yaml 的 web 下写 tls: true。',
    given: '本页已加密，证书由公认机构签发。',
    own: '本页已加密，证书由本小区自己签发。在每部手机和电脑上信任一次：',
    first: '下载证书，核对指纹（SHA-256）与主机控制台打印的一致。',
    ios: 'iPhone：设置 → 已下载描述文件 → 安装，再到 通用 → 关于本机 → 证书信任设置 中开启。',
    android: '安卓：设置 → 安全 → 加密与凭据 → 安装证书 → CA 证书。',
    windows: 'Windows：双击证书 → 安装 → 本地计算机 → 受信任的根证书颁发机构。',
    safe: '它只能证明门神主机和内网地址，不能冒充其他网站。',
    download: '下载证书',
    hosts: '地址：{hosts}',
    ends: '有效期至 {date}，到期前自动续期',
  },
}

export type TrustMessages = typeof trustZh

export const trustEn: TrustMessages = {
  trust: {
    title: 'Secure connection',
    off: 'This page is not encrypted. That is well on this machine alone; for phones and other computers, have the administrator run menshen tls init and write tls: true below web in hub.yaml.',
    given: 'This page is encrypted by a certificate of a public authority.',
    own: 'This page is encrypted by a certificate of the community’s own authority. Have each phone and computer trust it once:',
    first: 'Download the certificate and compare its fingerprint (SHA-256) with the one that the console printed.',
    ios: 'iPhone: Settings → Profile Downloaded → Install, then switch it on in General → About → Certificate Trust Settings.',
    android: 'Android: Settings → Security → Encryption & credentials → Install a certificate → CA certificate.',
    windows: 'Windows: double-click → Install → Local Machine → Trusted Root Certification Authorities.',
    safe: 'It vouches for the hub and addresses of the local network only and cannot pose as another site.',
    download: 'Download certificate',
    hosts: 'Addresses: {hosts}',
    ends: 'Valid until {date}, renewed by itself before',
  },
}
