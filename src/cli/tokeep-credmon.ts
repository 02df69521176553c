import { exit } from '../fault/codes.ts';
import { processIo } from './io.ts';
import { tokeep } from './tokeep.ts';

/** What condor_master takes for "do not start it again" (DAEMON_NO_RESTART): arguments do not mend themselves. */
const doNotRestart = 99;

/** `tokeep credmon` as HTCondor's knob CREDMON_OAUTH, which takes a plain path, with the exit codes that condor_master knows. */
const ended = await tokeep(['credmon', ...process.argv.slice(2)], processIo());
process.exit(ended === exit.usage ? doNotRestart : ended);
