import { z } from 'zod';
import { hasControlCharacter } from '../token/control-character.ts';
import type { SecretRef } from './config.ts';
import { parseDuration } from './duration.ts';
import { unfitIssuer, unfitUrl } from './safe-url.ts';

/**
 * A mapping with a fixed set of keys. For an unknown key the message is the list of known ones, blank separated, from which
 * `yaml-issues.ts` makes the sentence with the nearest of them.
 */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
  });
}

/** `superRefine` with a function that gives the rest of the sentence, or undefined when all is well. */
const unless =
  (unfit: (text: string) => string | undefined) => (text: string, context: z.core.$RefinementCtx<string>) => {
    const reason = unfit(text);
    if (reason !== undefined) context.addIssue({ code: 'custom', message: reason });
  };

export const text = z.string().superRefine(
  unless((value) => {
    if (value === '') return 'is empty';
    return hasControlCharacter(value) ? 'holds a control character' : undefined;
  }),
);
export const path = text.superRefine(
  unless((value) => (value.startsWith('/') ? undefined : 'is not an absolute path')),
);
export const url = z.string().superRefine(unless(unfitUrl));
export const issuerUrl = z.string().superRefine(unless(unfitIssuer));

const durationForm = 'is not a length of time such as 90s, 20m, 1h, 400d, or a number of seconds';
export const duration = z.union([z.string(), z.number()], { error: durationForm }).transform((value, context) => {
  const length = parseDuration(String(value));
  if (length !== undefined) return length;
  context.addIssue({ code: 'custom', message: durationForm });
  return z.NEVER;
});

export const fileMode = z
  .string({
    error: (issue) =>
      typeof issue.input === 'number'
        ? `must be in quotes, such as "0400": without them YAML reads another number`
        : undefined,
  })
  .transform((value, context) => {
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (!/^(0o)?[0-7]{3,4}$/.test(value)) return refuse('is not a file mode such as "0400"');
    const mode = Number.parseInt(value.replace('0o', ''), 8);
    if ((mode & 0o007) !== 0) return refuse('would let everybody read the token; the last digit must be 0');
    return mode > 0o777 ? refuse('has set-id or sticky bits, which a token file cannot have') : mode;
  });

export const argv = z
  .array(text, { error: 'must be a list: the program with its absolute path, then its arguments' })
  .min(1, { error: 'must name a program' })
  .superRefine((words, context) => {
    if (words[0]?.startsWith('/') === false) {
      context.addIssue({ code: 'custom', path: [0], message: 'must be a program with its absolute path' });
    }
  });

/** A key of bytes, which no command could print as a line. */
export const keyPlace = z
  .union(
    [
      section({ file: path.meta({ description: 'a file that only its owner can read' }) }),
      section({ credential: text.meta({ description: 'the name of a systemd credential (`LoadCredential=`)' }) }),
    ],
    { error: 'must say where the key lies: { file: PATH } or { credential: NAME }' },
  )
  .transform(
    (value): Extract<SecretRef, { kind: 'file' | 'credential' }> =>
      'file' in value ? { kind: 'file', path: value.file } : { kind: 'credential', name: value.credential },
  );

const secretForm = 'must say where the secret lies: { file: PATH }, { credential: NAME } or { command: [PROGRAM, …] }';
export const secret = z
  .union(
    [
      section({
        file: path.meta({ description: 'a file that only its owner can read; the first line is the secret' }),
      }),
      section({ credential: text.meta({ description: 'the name of a systemd credential (`LoadCredential=`)' }) }),
      section({ command: argv.meta({ description: 'a program that prints the secret' }) }),
    ],
    {
      error: (issue) =>
        typeof issue.input === 'string' ? `${secretForm}; it is never written here itself` : secretForm,
    },
  )
  .transform((value): SecretRef => {
    if ('file' in value) return { kind: 'file', path: value.file };
    if ('credential' in value) return { kind: 'credential', name: value.credential };
    return { kind: 'command', argv: value.command };
  });
