import { execFile } from 'node:child_process';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with something to read. Throws only if there is no such program. */
export function ran(command: readonly string[], env: Readonly<Record<string, string>> = {}, input = ''): Promise<Ran> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    // A program that reads nothing may have ended by now.
    child.stdin?.on('error', () => {}).end(input);
  });
}

/** What it wrote, of a program that has to succeed. */
export async function outputOf(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { status, stdout, stderr } = await ran(command, env);
  if (status !== 0) throw new Error(`${command.slice(0, 3).join(' ')} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}
