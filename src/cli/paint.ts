import { styleText } from 'node:util';
import type { Paint } from './context.ts';

type Env = Readonly<Record<string, string | undefined>>;

const plain = (text: string) => text;
const noPaint: Paint = { good: plain, bad: plain, warn: plain, dim: plain, bold: plain };
const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
  styleText(format, text, { validateStream: false });
const colours: Paint = {
  good: style('green'),
  bad: style('red'),
  warn: style('yellow'),
  dim: style('dim'),
  bold: style('bold'),
};

/** Colour only where a terminal shows it: not in a pipe, not with `--no-color`, NO_COLOR or a dumb terminal. */
export function paintFor(stream: { readonly isTTY: boolean }, wanted: boolean, env: Env): Paint {
  const off = !wanted || !stream.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return off ? noPaint : colours;
}
