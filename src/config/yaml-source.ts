import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Position } from './config.ts';
import type { Findings } from './finding.ts';

export type Path = readonly PropertyKey[];

/** A YAML text that knows where everything in it stands. */
export class YamlSource {
  readonly file: string;
  readonly data: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #pairs = new WeakMap<YAMLMap, Map<string, Pair>>();

  private constructor(file: string, document: Document, lines: LineCounter, data: unknown) {
    this.file = file;
    this.data = data;
    this.#document = document;
    this.#lines = lines;
  }

  /** Undefined when the text is no YAML; then the findings say where and why. */
  static parse(file: string, text: string, findings: Findings): YamlSource | undefined {
    const lines = new LineCounter();
    try {
      // Duplicate keys are looked for below: the library compares every key with every other.
      const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
      if (document.errors.some(({ message }) => outOfStack.test(message))) return tooLarge(file, findings);
      const told = new Set<string>();
      for (const { code, message, pos } of document.errors) {
        const found = code === 'MULTIPLE_DOCS' ? severalDocuments : `not YAML: ${asClause(message)}`;
        // Many brackets that are never closed are all missed at the same place.
        if (told.has(`${pos[0]} ${found}`)) continue;
        told.add(`${pos[0]} ${found}`);
        findings.error(position(file, lines, pos[0]), found);
      }
      for (const { message, pos } of document.warnings) {
        findings.warning(position(file, lines, pos[0]), asClause(message));
      }
      if (document.errors.length > 0 || danglingAlias(file, document, lines, findings)) return undefined;
      const source = new YamlSource(file, document, lines, document.toJS());
      source.#refuseDuplicates(findings);
      return source;
    } catch {
      return tooLarge(file, findings);
    }
  }

  /** Where the value at this path stands; of its nearest parent if it is not there. */
  valueAt(path: Path): Position {
    return this.#at(path, (pair) => pair.value ?? pair.key);
  }

  /** Where the key stands that the path ends with. */
  keyAt(path: Path): Position {
    return this.#at(path, (pair) => pair.key);
  }

  #at(path: Path, ofLast: (pair: Pair) => unknown): Position {
    let node: unknown = this.#document.contents;
    let found = node;
    for (const [index, step] of path.entries()) {
      node = isAlias(node) ? node.resolve(this.#document) : node;
      if (isMap(node)) {
        const pair = this.#pairsOf(node).get(String(step));
        if (pair === undefined) break;
        found = index === path.length - 1 ? ofLast(pair) : pair.key;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        found = node ?? found;
      } else break;
    }
    return position(this.file, this.#lines, (found as Node | null)?.range?.[0] ?? 0);
  }

  #pairsOf(map: YAMLMap): Map<string, Pair> {
    let pairs = this.#pairs.get(map);
    if (pairs === undefined) {
      pairs = new Map(map.items.map((pair) => [keyText(pair), pair]));
      this.#pairs.set(map, pairs);
    }
    return pairs;
  }

  #refuseDuplicates(findings: Findings): void {
    visit(this.#document, {
      Map: (_, map, above) => {
        const seen = new Set<string>();
        for (const pair of map.items) {
          const key = keyText(pair);
          if (seen.has(key)) {
            const where = position(this.file, this.#lines, (pair.key as Node | null)?.range?.[0] ?? 0);
            findings.error(where, `"${key}" stands here twice`, { section: sectionOf([...above, map], key) });
          }
          seen.add(key);
        }
      },
    });
  }
}

/** How the library tells that it ran out of stack: once for each level on its way out. */
const outOfStack = /call stack size|stack overflow/i;

/** Aliases of aliases of aliases, or brackets in brackets without end. */
function tooLarge(file: string, findings: Findings): undefined {
  findings.error({ file, line: 1, column: 1 }, 'not YAML that can be read: its aliases or brackets grow too large');
}

function danglingAlias(file: string, document: Document, lines: LineCounter, findings: Findings): boolean {
  let found = false;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      found = true;
      findings.error(position(file, lines, alias.range?.[0] ?? 0), `there is no anchor "&${alias.source}" before this`);
    },
  });
  return found;
}

const keyText = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value) : String(pair.key));

/** The section that a key in the last of these nodes belongs to: `tokens.monitoring`, or `store`. */
function sectionOf(above: readonly unknown[], key: string): string {
  const keys = above
    .filter((node): node is Pair => typeof node === 'object' && node !== null && 'key' in node)
    .map(keyText);
  const [first, second] = [...keys, key];
  return first === 'accounts' || first === 'tokens' || first === 'notify' ? `${first}.${second}` : String(first);
}

function position(file: string, lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

const severalDocuments =
  'a second document begins here; all of the configuration stands in one, so take out this "---"';

/** The library's sentences start with a capital and may end with a full stop; ours do not. */
const asClause = (message: string): string => (message.charAt(0).toLowerCase() + message.slice(1)).replace(/\.$/, '');
