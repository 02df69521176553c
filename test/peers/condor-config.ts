import { chmod, mkdir, writeFile } from 'node:fs/promises';

/** Knobs as `condor_config_val` would have them; it is a script in `bin` that prints them in HTCondor's form. */
export async function writeCondorConfig(bin: string, knobs: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(bin, { recursive: true, mode: 0o755 });
  const file = `${bin}/condor_config`;
  const dump = Object.entries(knobs).map(
    ([name, value]) => `${name} = ${value}\n # at: ${file}, line 1\n # raw: ${name} = ${value}\n`,
  );
  await writeFile(file, dump.join(''));
  const lines = [
    '#!/bin/sh',
    `case $1 in -config) printf 'Configuration source:\\n\\t${file}\\n' ;; *) cat ${file} ;; esac`,
  ];
  await writeFile(`${bin}/condor_config_val`, `${lines.join('\n')}\n`);
  await chmod(`${bin}/condor_config_val`, 0o755);
}
