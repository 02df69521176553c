import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { Fault } from '../fault/fault.ts';

/** One stream that people or programs read. */
export interface Output {
  /** Resolves when the text has left us; a closed reader (EPIPE) ends the program quietly, see main.ts. */
  write(text: string): Promise<void>;
  /** A line that stays last on the terminal and is replaced by the next one; nothing where there is no terminal. */
  transient(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
}

/** The terminal (or the pipes in its place) as a value. `stdin` is touched only by commands that read it. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Was something put there to be read: a pipe, a socket or a file, not a terminal and not /dev/null? */
  readonly stdinGiven: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const wipe = '\r\u001b[K';

function output(stream: NodeJS.WriteStream): Output {
  let shown = '';
  // A closed reader is told by the write that fails; without a listener it would end the process with a stack trace.
  stream.on('error', () => {});
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        const whole = shown === '' ? text : `${wipe}${text}${shown}`;
        stream.write(whole, (error) => (error ? reject(unwritten(error)) : resolve()));
      }),
    transient(text) {
      if (!stream.isTTY || text === shown) return;
      stream.write(`${wipe}${text}`);
      shown = text;
    },
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? stream.columns : 80;
    },
  };
}

function unwritten(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return error;
  return new Fault('output-failed', `the result could not be written (${error.code ?? 'for an unknown reason'})`);
}

/** The terminal of this process. */
export function processIo(): CliIo {
  const [stdout, stderr] = [output(process.stdout), output(process.stderr)];
  return {
    get stdin() {
      return process.stdin;
    },
    get stdinGiven() {
      return !fstatSync(0).isCharacterDevice();
    },
    stdout,
    stderr,
    env: process.env,
  };
}
