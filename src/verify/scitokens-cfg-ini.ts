/** One `key = value`, with the line it stands in (from 1). */
export interface IniValue {
  readonly text: string;
  readonly line: number;
}

export interface IniSection {
  readonly header: string;
  readonly line: number;
  /** By their names in lower case. */
  readonly values: ReadonlyMap<string, IniValue>;
}

export interface IniRemark {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly message: string;
}

interface OpenSection extends IniSection {
  readonly values: Map<string, IniValue>;
}

/**
 * Reads an ini file as XRootD does (by inih): `=` or `:` separates, `#` and `;` at the start of a line and ` ;` within one begin a
 * comment, names are taken without their case, sections of the same name are one, and of two values the last one counts. It is not
 * quite the ini of Python's configparser, in which OSG's configuration is written.
 */
export function readIni(text: string): {
  readonly sections: readonly IniSection[];
  readonly remarks: readonly IniRemark[];
} {
  const sections = new Map<string, OpenSection>();
  const remarks: IniRemark[] = [];
  const remark = (severity: IniRemark['severity'], line: number, message: string) =>
    remarks.push({ severity, line, message });
  let open: OpenSection | undefined;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    const content = raw.replace(/\s;.*$/, '').trim();
    if (content === '' || content.startsWith('#') || content.startsWith(';')) continue;
    if (content.startsWith('[')) {
      open = openSection(content, line, sections, remark) ?? open;
    } else if (/^\s/.test(raw) && open !== undefined && open.values.size > 0) {
      remark(
        'warning',
        line,
        'a line that starts with a blank goes on with the value above, and the line break becomes part of it',
      );
    } else takeValue(content, line, open, remark);
  }
  return { sections: [...sections.values()], remarks };
}

type Remark = (severity: IniRemark['severity'], line: number, message: string) => void;

function openSection(
  content: string,
  line: number,
  sections: Map<string, OpenSection>,
  remark: Remark,
): OpenSection | undefined {
  const header = /^\[([^\]]*)\]/.exec(content)?.[1]?.trim();
  if (header === undefined) {
    remark('error', line, 'this section header has no ] at its end; XRootD keeps the configuration it had before');
    return undefined;
  }
  const before = sections.get(header.toLowerCase());
  if (before !== undefined) {
    remark(
      'warning',
      line,
      `[${header}] stands here twice, first at line ${before.line}; of each value the last one counts`,
    );
    return before;
  }
  const section = { header, line, values: new Map<string, IniValue>() };
  sections.set(header.toLowerCase(), section);
  return section;
}

function takeValue(content: string, line: number, open: OpenSection | undefined, remark: Remark): void {
  const separator = content.search(/[=:]/);
  const name = content.slice(0, Math.max(separator, 0)).trim().toLowerCase();
  if (name === '') {
    remark('error', line, 'this line is not of the form "key = value"; XRootD keeps the configuration it had before');
  } else if (open === undefined) {
    remark('warning', line, `"${name}" stands before the first [section] and is not looked at`);
  } else {
    const before = open.values.get(name);
    if (before !== undefined && before.line >= open.line)
      remark(
        'warning',
        line,
        `"${name}" stands twice in [${open.header}], first at line ${before.line}; the last one counts`,
      );
    open.values.set(name, { text: content.slice(separator + 1).trim(), line });
  }
}
