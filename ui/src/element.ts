// Element Plus on demand: the components used anywhere, with their styles. One list, so that a missing style is seen here.
import 'element-plus/es/components/base/style/css'
import 'element-plus/es/components/button/style/css'
import 'element-plus/es/components/dialog/style/css'
import 'element-plus/es/components/input/style/css'
import 'element-plus/es/components/input-number/style/css'
import 'element-plus/es/components/switch/style/css'

export { ElButton } from 'element-plus/es/components/button/index.mjs'
export { ElDialog } from 'element-plus/es/components/dialog/index.mjs'
export { ElInput } from 'element-plus/es/components/input/index.mjs'
export { ElInputNumber } from 'element-plus/es/components/input-number/index.mjs'
export { ElSwitch } from 'element-plus/es/components/switch/index.mjs'
export { localeContextKey } from 'element-plus/es/hooks/use-locale/index.mjs'
