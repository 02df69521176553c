import { Fault } from '../fault/fault.ts';

/**
 * A template of scopes with its names filled in, as Python's `str.format` does it: `{username}`, and `{{` for a brace. Throws Fault
 * `config-invalid` for another name or a brace alone, by which HTCondor's own makes no token either.
 */
export function filledIn(knob: string, template: string, names: Readonly<Record<string, string>>): string {
  return template.replace(part, (text, name?: string) => {
    if (text === '{{' || text === '}}') return text.charAt(0);
    const value = name === undefined || !Object.hasOwn(names, name) ? undefined : names[name];
    if (value !== undefined) return value;
    const allowed = Object.keys(names).map((known) => `{${known}}`);
    throw new Fault('config-invalid', `${knob} holds ${text}, and what can stand there is ${allowed.join(', ')}`, {
      hint: 'a brace that is meant is written twice',
    });
  });
}

const part = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;
