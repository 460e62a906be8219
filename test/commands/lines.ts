/** A sentence in the lines of a screen of 80 columns, where each begins behind four. */
export const wrapLines = (sentence: string): string => `${sentence} `.match(/\S.{0,75}(?= )/g)?.join('\n    ') ?? '';
