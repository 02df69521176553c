/**
 * A transcript is a page of commands and what they answer, with the files they need at its end:
 *
 *     # what this page shows
 *     $ tokeep renw
 *     ? 2
 *     ! tokeep: unknown command 'renw' (did you mean renew?)
 *
 *     -- config.yaml --
 *     accounts: {}
 *
 * `$` is a line for sh, `>` a line of stdout, `!` a line of stderr, `?` the exit code (0 if not given). `[..]` stands for any text
 * within a line, a line `...` for any number of lines.
 */
export interface Step {
  readonly line: number;
  readonly command: string;
  readonly status: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

export interface Transcript {
  readonly title: string;
  readonly steps: readonly Step[];
  readonly files: ReadonlyMap<string, string>;
}

export function parseTranscript(text: string): Transcript {
  const steps: { line: number; command: string; status: number; stdout: string[]; stderr: string[] }[] = [];
  const files = new Map<string, string>();
  let title = '';
  let file: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const name = /^-- (\S+) --$/.exec(line)?.[1];
    const step = steps.at(-1);
    if (name !== undefined) {
      file = name;
      files.set(name, '');
    } else if (file !== undefined) files.set(file, `${files.get(file)}${line}\n`);
    else if (line.startsWith('# ')) title ||= line.slice(2);
    else if (line.startsWith('$ '))
      steps.push({ line: index + 1, command: line.slice(2), status: 0, stdout: [], stderr: [] });
    else if (line.startsWith('? ') && step) step.status = Number(line.slice(2));
    else if (/^>( |$)/.test(line) && step) step.stdout.push(line.slice(2));
    else if (/^!( |$)/.test(line) && step) step.stderr.push(line.slice(2));
    else if (line !== '') throw new Error(`line ${index + 1} of a transcript is neither command nor answer: ${line}`);
  }
  return { title, steps, files };
}

/** Does the text consist of these lines, with their wildcards? */
export function matches(expected: readonly string[], text: string): boolean {
  const pattern = expected.map((line) => {
    if (line === '...') return '(?:.*\n)*';
    return `${line.split('[..]').map(literally).join('.*')}\n`;
  });
  return new RegExp(`^${pattern.join('')}$`).test(text);
}

const literally = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
