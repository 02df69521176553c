import type { Command } from 'commander';
import { type ExitCode, exit } from '../fault/codes.ts';
import { pathOf, type Runner } from './command.ts';
import type { GlobalOptions } from './context.ts';
import { endWith, noted, type Telling } from './ending.ts';
import { commandWord } from './global-options.ts';
import type { CliIo, Output } from './io.ts';
import { openContext } from './open-context.ts';
import { buildProgram, type Loading } from './program.ts';
import { settleHelp } from './settle-help.ts';
import { refuseJwts } from './token-options.ts';
import { usageFault } from './usage-fault.ts';

/** Runs one command line to its end: never throws, says what went wrong on stderr, gives the exit code. */
export async function tokeep(args: readonly string[], terminal: CliIo): Promise<ExitCode> {
  const stdout = noted(terminal.stdout);
  const io: CliIo = withStdout(terminal, stdout);
  const own = ownOptions(args);
  const telling: Telling = {
    verbose: own.includes('--verbose'),
    ...(own.includes('--json') ? { document: stdout } : {}),
  };
  let ended: ExitCode = exit.fine;
  const run: Runner =
    (work) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      const context = openContext(io, command.optsWithGlobals<GlobalOptions>());
      try {
        ended = (await work(context, ...(given.slice(0, -1) as never))) ?? exit.fine;
      } finally {
        await context.close();
      }
    };
  const help: Promise<void>[] = [];
  let stoppedIn = 'tokeep';
  try {
    if (args[0] === 'complete') {
      const { complete } = await import('./completion-answer.ts');
      await complete(args.slice(1), io.env);
      return exit.fine;
    }
    const program = await buildProgram(run, loadingFor(args));
    for (const command of everyCommand(program)) {
      command.configureOutput({
        writeOut: (text) => help.push(io.stdout.write(text)),
        writeErr: (text) => help.push(io.stderr.write(text)),
        outputError: () => {},
        getOutHelpWidth: () => io.stdout.columns,
        getErrHelpWidth: () => io.stderr.columns,
      });
      command.exitOverride((error) => {
        stoppedIn = pathOf(command);
        if (error.exitCode !== 0) refuseJwts(own, command);
        throw error;
      });
    }
    program.hook('preAction', (_, command) => refuseJwts(own, command));
    await program.parseAsync([...settleHelp(program, args)], { from: 'user' });
    return ended;
  } catch (thrown) {
    const usage = usageFault(thrown, stoppedIn, args);
    if (usage === 'help') return await helpWritten(help, io, telling);
    if (usage === 'helpless') return exit.usage;
    return await endWith(usage ?? thrown, io.stderr, telling);
  } finally {
    await Promise.allSettled(help);
  }
}

/** Help that did not reach its reader (a full disk, not a closed pipe) is a failure like any other. */
async function helpWritten(help: readonly Promise<void>[], io: CliIo, telling: Telling): Promise<ExitCode> {
  try {
    await Promise.all(help);
    return exit.fine;
  } catch (thrown) {
    return await endWith(thrown, io.stderr, telling);
  }
}

/** What stands before `--`; after it, the words are those of another command. */
function ownOptions(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

/** The stdin of a process is opened by looking at it, so it is left a getter. */
const withStdout = (io: CliIo, stdout: Output): CliIo => ({
  get stdin() {
    return io.stdin;
  },
  get stdinGiven() {
    return io.stdinGiven;
  },
  stdout,
  stderr: io.stderr,
  env: io.env,
});

function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function loadingFor(args: readonly string[]): Loading {
  const first = commandWord(args);
  if (first === undefined) return { kind: 'none' };
  const name = first.word === 'help' ? commandWord(args.slice(first.at + 1))?.word : first.word;
  return name === undefined ? { kind: 'none' } : { kind: 'one', name };
}
