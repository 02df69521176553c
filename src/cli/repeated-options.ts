/** For options that may be given several times, with one or several words each. */
export const severalWords = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...text.split(/\s+/).filter((word) => word !== ''),
];

/** For options that may be given several times, each taken as it is. */
export const severalTexts = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
];
