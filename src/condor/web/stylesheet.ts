/** The one stylesheet: wide enough for 80 columns of text, narrow enough for a phone, light or dark as the reader likes it. */
export const stylesheet = `:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1c2127; --dim: #545d68; --line: #d3d8de;
  --act: #0b5cad; --act-text: #ffffff; --good: #14692f; --bad: #a4211b; --ask: #fff6dc; --ask-line: #c99a16;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2228; --text: #e6e9ed; --dim: #a4adb8; --line: #3a424c;
    --act: #7db8f5; --act-text: #0b1520; --good: #7fd39a; --bad: #ff9d95; --ask: #2c2611; --ask-line: #a8821c;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, sans-serif; background: var(--page); color: var(--text); }
body { margin: 0; overflow-wrap: anywhere; }
main { max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; line-height: 1.35; margin: 0 0 .5rem; display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: center; }
p, dl, ul, pre { margin: 0 0 .75rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.1rem; margin: 0 0 1rem; }
section > :last-child, dd > :last-child { margin-bottom: 0; }
section.ask { background: var(--ask); border-color: var(--ask-line); }
section.done { border-color: var(--good); border-width: 2px; }
section.refused { border-color: var(--bad); }
dl { display: grid; grid-template-columns: minmax(7rem, 13rem) 1fr; gap: .35rem 1rem; }
dt { color: var(--dim); }
dd { margin: 0; min-width: 0; }
ul { padding-left: 1.1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; }
li code { color: var(--dim); }
pre { border: 1px solid var(--line); border-radius: .3rem; padding: .6rem .8rem; overflow-wrap: anywhere; white-space: pre-wrap; }
a { color: var(--act); }
button { font: inherit; font-weight: 600; color: var(--act-text); background: var(--act); border: 1px solid var(--act); border-radius: .35rem; padding: .6rem 1.1rem; min-height: 2.75rem; cursor: pointer; max-width: 100%; white-space: normal; text-align: left; }
button.quiet { color: var(--text); background: transparent; border-color: var(--dim); font-weight: 400; }
a:focus-visible, button:focus-visible { outline: 3px solid var(--act); outline-offset: 3px; }
.state { display: inline-block; font-size: .85rem; font-weight: 600; color: var(--dim); border: 1px solid currentcolor; border-radius: 1rem; padding: 0 .6rem; }
.ready .state { color: var(--good); }
.refused .state, .why { color: var(--bad); }
.small { font-size: .9rem; color: var(--dim); }
.leave { margin-top: 1.5rem; display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 30rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin: 0 0 .6rem; }
  dd:last-child { margin: 0; }
  section form button { width: 100%; text-align: center; }
}
`;

/** A key, for the tab of the browser. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><g fill="none" stroke="#0b5cad" stroke-width="2"><circle cx="5" cy="8" r="3"/><path d="M8 8h7m-2 0v3m-3-3v2"/></g></svg>
`;
