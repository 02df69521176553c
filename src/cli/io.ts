import type { Readable } from 'node:stream';

/** One stream that people or programs read. */
export interface Output {
  /** Resolves when the text has left us; a closed reader (EPIPE) ends the program quietly, see main.ts. */
  write(text: string): Promise<void>;
  readonly isTTY: boolean;
  readonly columns: number;
}

/** The terminal (or the pipes in its place) as a value. `stdin` is touched only by commands that read it. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? stream.columns : 80;
    },
  };
}

/** The terminal of this process. */
export function processIo(): CliIo {
  return {
    get stdin() {
      return process.stdin;
    },
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    env: process.env,
  };
}
