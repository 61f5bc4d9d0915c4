/** A link of the site's configuration, or nothing where it is not a web address (`javascript:` and the like). */
export function safeLink(url: string, base: string = location.href): string | undefined {
  try {
    const parsed = new URL(url, base)
    return ['http:', 'https:'].includes(parsed.protocol) ? parsed.href : undefined
  } catch {
    return undefined
  }
}
