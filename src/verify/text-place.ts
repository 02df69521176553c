/** From the top of a document down to what is meant: keys, and numbers of a list's elements from 0. */
export type TextPath = readonly (string | number)[];

/**
 * `FILE:LINE:COLUMN` of what stands there in YAML or JSON; of the key, where there is one of that name. Loads the reader of YAML, so it is
 * asked only where there is a mistake to tell of.
 */
export async function placeInText(text: string, file: string, path: TextPath): Promise<string> {
  const { isMap, isNode, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const parent = document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined;
  const node = pair?.key ?? document.getIn(path, true) ?? parent;
  const start = isNode(node) ? node.range?.[0] : undefined;
  return start === undefined ? file : placeOf(file, lineCounter.linePos(start));
}

interface LinePlace {
  readonly line: number;
  readonly col: number;
}

const placeOf = (file: string, { line, col }: LinePlace): string => `${file}:${line}:${col}`;

/** Where a text stops being YAML, and why, by the reader's code; undefined where it is. */
export async function yamlMistake(text: string, file: string): Promise<string | undefined> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const [error] = parseDocument(text, { lineCounter }).errors;
  if (error === undefined) return undefined;
  return `${placeOf(file, lineCounter.linePos(error.pos[0]))}: this is not YAML (${error.code})`;
}

/** Where a text stops being JSON, as far as the engine says it. Nothing else of its sentence is taken, since it quotes the text. */
export function jsonMistake(text: string, file: string, thrown: unknown): string {
  const at = thrown instanceof Error ? / at position (\d+)/.exec(thrown.message)?.[1] : undefined;
  if (at === undefined) return `${file} is not JSON`;
  const before = text.slice(0, Number(at)).split('\n');
  return `${placeOf(file, { line: before.length, col: (before.at(-1)?.length ?? 0) + 1 })}: this is not JSON`;
}
