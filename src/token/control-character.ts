/** Whether a text has one of the control characters of ASCII: anything below the blank, or DEL. Those of Latin-1 (U+0080 to U+009F) do not count. */
export const hasControlCharacter = (text: string): boolean => /[^ -~\u0080-\uffff]/.test(text);
