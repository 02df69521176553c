import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * Says and does what condor_store_cred and condor_credd of HTCondor 23.9.6 do with OAuth credentials: files beside it in `<user>/`,
 * and the scopes and audience of a `.top` in `.asked`. A file `answer` beside it is said instead (status in its first line), `knows-P`
 * makes it one of HTCondor's main branch, `credmon` makes a `.use` for each `.top`.
 */
const program = `#!/bin/sh
here=\${0%/*}
printf '%s\\n' "$*" >>"$here/calls"
env >"$here/env"
if [ "$1" = -h ]; then
  echo 'Usage: condor_store_cred action [options]' >&2
  if [ -e "$here/knows-P" ]; then echo '    -P                The given OAuth2 credential is an access token' >&2; fi
  exit 1
fi
action=\${1%-oauth}; shift
user=me@localhost service= handle= scopes= audience= ending=.top
while [ $# -gt 0 ]; do
  case $1 in
    -u) user=$2; shift ;; -s) service=$2; shift ;; -H) handle=$2; shift ;;
    -S) scopes=$2; shift ;; -A) audience=$2; shift ;; -i) shift ;;
    -P) [ -e "$here/knows-P" ] || { echo "ERROR: Unrecognized option - '-P'" >&2; exit 1; }; ending=.use ;;
  esac
  shift
done
if [ -e "$here/answer" ]; then { read -r status; cat; exit "$status"; } <"$here/answer"; fi
printf 'Account: %s\\nCredType: oauth\\n\\n' "$user"
name=$here/\${user%%@*}/$service\${handle:+_$handle}
case $action in
  add)
    mkdir -p "$here/\${user%%@*}"
    cat >"$name$ending"
    printf '%s|%s' "$scopes" "$audience" >"$name.asked"
    if [ -e "$here/credmon" ]; then echo token >"$name.use"; fi
    if [ -e "$name.use" ]; then echo 'Operation succeeded.'
    else echo 'Operation succeeded and is waiting for processing.'; fi ;;
  delete) rm -f "$name.top" "$name.use" "$name.asked"; echo 'Operation succeeded.' ;;
  query)
    if [ ! -e "$name.top" ]; then echo 'No credential is stored.'; exit 1; fi
    if ! grep -q '^{' "$name.top"; then echo 'Failure parsing credential as JSON' >&2; exit 1; fi
    if [ "$(cat "$name.asked")" != "$scopes|$audience" ]; then
      echo 'Credential was found but it did not match requested scopes or audience' >&2; exit 2
    fi
    if [ -e "$name.use" ]; then echo 'A credential was stored and is valid.'
    else echo 'A credential was stored and is waiting for processing.'; fi ;;
esac
`;

/** In a directory of its own below the home directory: /tmp is one that others can write to, from which nothing is run. */
export function storeCredProgram(t: TestContext) {
  const directory = mkdtempSync(join(homedir(), '.tokeep-store-cred-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'condor_store_cred');
  writeFileSync(path, program);
  chmodSync(path, 0o755);
  const at = (name: string) => join(directory, name);
  return {
    path,
    directory,
    calls: () => (existsSync(at('calls')) ? readFileSync(at('calls'), 'utf8').trimEnd().split('\n') : []),
    forgetCalls: () => rmSync(at('calls'), { force: true }),
    environment: () => readFileSync(at('env'), 'utf8'),
    set: (name: 'knows-P' | 'credmon') => writeFileSync(at(name), ''),
    unset: (name: 'knows-P' | 'credmon' | 'answer') => rmSync(at(name), { force: true }),
    answers: (status: number, text: string) => writeFileSync(at('answer'), `${status}\n${text}\n`),
    file: (name: string) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : undefined),
  };
}
