// The player without subtitles and DRM is the same to TypeScript; the package has types for the whole one only.
declare module 'hls.js/light' {
  export * from 'hls.js'
  export { default } from 'hls.js'
}
