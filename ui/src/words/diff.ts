// What changed between two texts, line by line: the longest common subsequence, which is fine for a rule of 200 lines.

export interface Line { mark: ' ' | '-' | '+'; text: string }

export function diffLines(before: string, after: string): Line[] {
  const a = before.replace(/\n$/, '').split('\n')
  const b = after.replace(/\n$/, '').split('\n')
  const width = b.length + 1
  const length = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const same = a[i] === b[j] ? length[(i + 1) * width + j + 1]! + 1 : 0
      length[i * width + j] = Math.max(same, length[(i + 1) * width + j]!, length[i * width + j + 1]!)
    }
  }
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i]! })
      i += 1
      j += 1
    } else if (i < a.length && (j >= b.length || length[(i + 1) * width + j]! >= length[i * width + j + 1]!)) {
      lines.push({ mark: '-', text: a[i]! })
      i += 1
    } else {
      lines.push({ mark: '+', text: b[j]! })
      j += 1
    }
  }
  return lines
}

/** Only the lines within `around` of a change. */
export function shortened(lines: Line[], around = 2): Line[] {
  return lines.filter((_, index) => lines.slice(Math.max(0, index - around), index + around + 1).some((line) => line.mark !== ' '))
}
