import { Writable } from 'node:stream';
import { Fault } from '../fault/fault.ts';
import type { CliIo, Output } from './io.ts';

interface Question {
  /** What is asked, as a person reads it. */
  readonly message: string;
  /** The option that answers it without asking. */
  readonly flag: string;
}
export interface TextQuestion extends Question {
  readonly initial?: string;
  /** What is wrong with an answer, or undefined. */
  readonly unfit?: (answer: string) => string | undefined;
}
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}
export interface ChoiceQuestion extends Question {
  readonly choices: readonly Choice[];
  readonly initial?: readonly string[];
}

/** Asking a person. Every question names the option that answers it, so that whatever is asked can be scripted. */
export interface Prompts {
  text(question: TextQuestion): Promise<string>;
  /** Never shown while it is typed. */
  secret(question: Question): Promise<string>;
  pick(question: ChoiceQuestion): Promise<string>;
  pickMany(question: ChoiceQuestion): Promise<readonly string[]>;
  confirm(question: Question): Promise<boolean>;
}

/**
 * Asks on a terminal; without one every question is a `usage` fault that names the missing option. Never waits for a pipe.
 * @param command whose options answer the questions
 */
export async function promptsFor(io: CliIo, command: string): Promise<Prompts> {
  if (io.stdin.isTTY === true && io.stderr.isTTY) return await terminalPrompts(io);
  return unasked(command);
}

function unasked(command: string): Prompts {
  const missing = ({ message, flag }: Question): Promise<never> =>
    Promise.reject(
      new Fault('usage', `${flag} is missing: there is no terminal to ask on (${message})`, {
        hint: `see: tokeep ${command} --help`,
      }),
    );
  return { text: missing, secret: missing, pick: missing, pickMany: missing, confirm: missing };
}

/** Questions go to stderr: stdout is for results. */
async function terminalPrompts(io: CliIo): Promise<Prompts> {
  const clack = await import('@clack/prompts');
  const output = writableOf(io.stderr);
  const streams = { input: io.stdin, output };
  const answered = async <T>(question: Promise<T>): Promise<Exclude<T, symbol>> => {
    const answer = await question;
    await finishFrame(output);
    if (typeof answer === 'symbol') throw new Fault('usage', 'broken off at a question');
    return answer as Exclude<T, symbol>;
  };
  const options = ({ choices }: ChoiceQuestion) => choices.map((choice) => ({ ...choice }));
  return {
    async text({ message, initial, unfit }) {
      const question = {
        ...streams,
        message,
        ...(initial === undefined ? {} : { placeholder: initial, defaultValue: initial }),
        validate: (answer: string | undefined) => unfit?.(answer || initial || ''),
      };
      return (await answered(clack.text(question))).trim();
    },
    secret: ({ message }) => answered(clack.password({ ...streams, message })),
    pick: (question) =>
      answered(
        clack.autocomplete<string>({
          ...streams,
          message: question.message,
          options: options(question),
          validate: (choice) => (choice === undefined ? 'none of them is like that' : undefined),
        }),
      ),
    async pickMany(question) {
      const initialValues = [...(question.initial ?? [])];
      const { message } = question;
      return await answered(
        clack.multiselect<string>({
          ...streams,
          message,
          options: options(question),
          initialValues,
          required: false,
        }),
      );
    },
    confirm: ({ message }) => answered(clack.confirm({ ...streams, message })),
  };
}

/** The last frame of a question is still on its way when the answer is there; what is said next must come below it. */
function finishFrame(output: Writable): Promise<void> {
  const wipeBelow = '\u001b[J';
  return new Promise((resolve, reject) => {
    output.write(wipeBelow, (error) => (error ? reject(error) : resolve()));
  });
}

function writableOf(output: Output): Writable {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      output.write(chunk.toString('utf8')).then(() => done(), done);
    },
  });
  return Object.defineProperties(stream, {
    isTTY: { get: () => output.isTTY },
    // A serial console says 0, which would put every letter on a line of its own.
    columns: { get: () => output.columns || 80 },
  });
}
