/** What the pages look like: one file, light and dark, readable at any width; each pair of colours has a contrast of 4.5 or more (WCAG 2.2 §1.4.3). */
export const accountStyle = `:root {
  color-scheme: light dark;
  --ground: #f1f3f8; --sheet: #ffffff; --ink: #161a22; --soft: #4e5768; --line: #757f90; --hair: #dfe3ec;
  --deed: #2848c7; --deed-over: #1c3596; --on-deed: #ffffff; --faint: #e9edfb;
  --wrong: #a3171f; --wrong-ground: #fdeced; --good: #0b6239; --good-ground: #e6f5ec;
  --shadow: 0 1px 2px rgb(16 24 40 / 6%), 0 8px 24px rgb(16 24 40 / 7%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1217; --sheet: #191d25; --ink: #edf0f6; --soft: #b0b9c9; --line: #8791a3; --hair: #2e3440;
    --deed: #9db3ff; --deed-over: #c2d0ff; --on-deed: #0e1533; --faint: #222a41;
    --wrong: #ff9fa3; --wrong-ground: #3a1b1f; --good: #7fdba7; --good-ground: #14301f;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
.top {
  display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.25rem 1.5rem;
  width: min(48rem, 100% - 2rem); margin: 0 auto; padding: 1rem 0;
}
.narrow { width: min(27rem, 100% - 2rem); margin: 0 auto; }
.wide { width: min(48rem, 100% - 2rem); margin: 0 auto; padding-bottom: 3rem; }
.top.alone { justify-content: center; width: min(27rem, 100% - 2rem); padding: clamp(1rem, 9vh, 5.5rem) 0 1.25rem; }
.mark { display: inline-flex; align-items: center; gap: 0.625rem; color: var(--ink); font-weight: 650; text-decoration: none; }
.mark svg { width: 2rem; height: 2rem; color: var(--deed); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0; padding: 0; list-style: none; }
nav a { display: block; padding: 0.5rem 0.75rem; border-radius: 0.5rem; color: var(--soft); text-decoration: none; }
nav a:hover { color: var(--ink); background: var(--hair); }
nav a[aria-current] { color: var(--deed); background: var(--faint); font-weight: 600; }
.panel {
  margin: 0 0 1.25rem; padding: clamp(1.25rem, 5vw, 2rem); background: var(--sheet);
  border: 1px solid var(--hair); border-radius: 0.875rem; box-shadow: var(--shadow);
}
.narrow .panel { margin-bottom: 3rem; }
.panel > :last-child { margin-bottom: 0; }
h1 { margin: 0 0 1.25rem; font-size: 1.625rem; line-height: 1.2; letter-spacing: -0.01em; text-wrap: balance; }
.wide > h1 { margin: 1rem 0 1.25rem; font-size: 1.875rem; }
h2 { margin: 0 0 0.5rem; font-size: 1.1875rem; line-height: 1.3; }
p { margin: 0 0 1rem; }
form { margin: 0 0 1rem; }
label { display: block; margin-bottom: 0.25rem; font-weight: 600; }
input {
  width: 100%; min-height: 3rem; padding: 0.5rem 0.75rem; font: inherit; color: inherit; background: var(--sheet);
  border: 1px solid var(--line); border-radius: 0.5rem;
}
input[aria-invalid="true"] { border: 2px solid var(--wrong); }
input[autocomplete="one-time-code"] { font-size: 1.25rem; letter-spacing: 0.12em; font-variant-numeric: tabular-nums; }
.field { margin-bottom: 1.125rem; }
.hint, .more, .when { color: var(--soft); }
.hint, .wrong { margin: 0.25rem 0 0; font-size: 1rem; }
.hint { margin-bottom: 0.25rem; }
.wrong { color: var(--wrong); }
.alert, .notice { margin: 0 0 1.25rem; padding: 0.75rem 1rem; border-left: 0.25rem solid currentcolor; border-radius: 0.375rem; }
.alert { color: var(--wrong); background: var(--wrong-ground); }
.notice { color: var(--good); background: var(--good-ground); }
button, .button {
  display: inline-block; min-height: 3rem; padding: 0.625rem 1.25rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none;
  cursor: pointer; color: var(--on-deed); background: var(--deed); border: 1px solid transparent; border-radius: 0.5rem;
}
button:hover, .button:hover { background: var(--deed-over); }
.narrow button, .narrow .button { width: 100%; }
.quiet { min-height: 2.75rem; padding: 0.4375rem 1rem; color: var(--deed); background: transparent; border-color: var(--line); }
.quiet:hover { color: var(--deed-over); background: var(--faint); }
.danger { color: var(--on-deed); background: var(--wrong); }
.danger:hover { background: var(--wrong); text-decoration: underline; }
.quiet.danger { color: var(--wrong); background: transparent; }
.quiet.danger:hover { background: var(--wrong-ground); }
a { color: var(--deed); text-underline-offset: 0.15em; }
.more { margin: 1.25rem 0 0; }
.deeds { display: flex; flex-wrap: wrap; align-items: center; gap: 0.75rem; margin: 1rem 0 0; }
.deeds form { margin: 0; }
.deeds + [data-passkey] { margin-top: 0.75rem; }
.rows { margin: 0 0 1rem; padding: 0; list-style: none; }
.rows > li {
  display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.5rem 1rem;
  padding: 0.875rem 0; border-top: 1px solid var(--hair);
}
.rows > li:first-child { border-top: 0; padding-top: 0.25rem; }
.rows > li:last-child { padding-bottom: 0.25rem; }
.rows > li > div { flex: 1 1 15rem; min-width: 0; }
.rows p { margin: 0; }
.rows form { margin: 0; }
.rows strong { font-weight: 600; }
.when { font-size: 1rem; }
.tag {
  display: inline-block; padding: 0 0.5rem; font-size: 0.9375rem; font-weight: 600; border-radius: 1rem;
  color: var(--deed); background: var(--faint);
}
.tag.good { color: var(--good); background: var(--good-ground); }
.tag.bad { color: var(--wrong); background: var(--wrong-ground); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.search { display: flex; flex-wrap: wrap; align-items: end; gap: 0.25rem 0.75rem; }
.search label { flex-basis: 100%; margin: 0; }
.search input { flex: 1 1 12rem; width: auto; }
.wide .field { max-width: 26rem; }
.rows + .deeds { margin-top: 1.5rem; }
.steps { margin: 0 0 1.25rem; padding-left: 1.375rem; }
.steps > li { margin-bottom: 1rem; padding-left: 0.25rem; }
.qr { display: block; width: 13rem; max-width: 100%; height: auto; margin: 0.75rem 0; border-radius: 0.5rem; background: #ffffff; border: 1px solid var(--hair); }
code, pre, .codes { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
.key { display: inline-block; padding: 0.375rem 0.625rem; border-radius: 0.375rem; background: var(--ground); letter-spacing: 0.05em; }
.codes {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 0.375rem 1.5rem; margin: 0 0 1.25rem;
  padding: 1rem 1.25rem 1rem 2.75rem; border-radius: 0.5rem; background: var(--ground); font-variant-numeric: tabular-nums;
}
pre { margin: 0 0 1rem; padding: 1rem; border-radius: 0.5rem; background: var(--ground); white-space: pre-wrap; font-size: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
:focus-visible { outline: 3px solid var(--deed); outline-offset: 2px; }
.alert:focus-visible, .notice:focus-visible { outline: 2px solid currentcolor; outline-offset: 0; }
@media (max-width: 30rem) {
  .wide button:not(.quiet), .wide .button:not(.quiet) { width: 100%; }
  .codes { padding-left: 2.75rem; padding-right: 0.5rem; font-size: 0.9375rem; }
  nav ul { gap: 0; }
  nav a { padding: 0.5rem; }
}
@media (prefers-contrast: more) { :root { --hair: var(--line); } }
@media print {
  .top, button, .deeds, .more { display: none; }
  .panel { border: 0; box-shadow: none; }
}
`;
