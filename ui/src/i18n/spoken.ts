// What a loudspeaker says when it is tried: Mandarin in every language of the page, for the people who hear it.
export const SAMPLE = '这是门神的试音，请勿惊慌。'
