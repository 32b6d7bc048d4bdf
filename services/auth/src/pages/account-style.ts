/** What the pages look like: one file, light and dark, readable at any width; each pair of colours has a contrast of 4.5 or more (WCAG 2.2 §1.4.3). */
export const accountStyle = `:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --sheet: #ffffff; --ink: #1b1f24; --soft: #4d5661; --line: #737c87;
  --deed: #1f4fbf; --on-deed: #ffffff; --wrong: #a3171f; --wrong-ground: #fdeced;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --sheet: #1d2127; --ink: #eceff3; --soft: #b3bcc7; --line: #89929d;
    --deed: #8fb3ff; --on-deed: #10151d; --wrong: #ff9c9f; --wrong-ground: #3a1c1f;
  }
}
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }
main {
  width: min(26rem, 100% - 2rem); margin: clamp(1rem, 8vh, 5rem) auto; padding: clamp(1.25rem, 5vw, 2.25rem);
  background: var(--sheet); border-radius: 0.75rem; overflow-wrap: anywhere;
}
h1 { margin: 0 0 1.25rem; font-size: 1.625rem; line-height: 1.2; }
h2 { margin: 1.75rem 0 0.5rem; font-size: 1.1875rem; }
p { margin: 0 0 1rem; }
form { margin: 0 0 1rem; }
label { display: block; margin-bottom: 0.25rem; font-weight: 600; }
input {
  width: 100%; min-height: 3rem; padding: 0.5rem 0.75rem; font: inherit; color: inherit; background: var(--sheet);
  border: 1px solid var(--line); border-radius: 0.375rem;
}
input[aria-invalid="true"] { border: 2px solid var(--wrong); }
.field { margin-bottom: 1.125rem; }
.hint, .more { color: var(--soft); }
.hint, .wrong { margin: 0.25rem 0 0; font-size: 1rem; }
.hint { margin-bottom: 0.25rem; }
.wrong { color: var(--wrong); }
.alert {
  margin: 0 0 1.25rem; padding: 0.75rem 1rem; color: var(--wrong); background: var(--wrong-ground);
  border-left: 0.25rem solid var(--wrong); border-radius: 0.25rem;
}
button {
  width: 100%; min-height: 3rem; padding: 0.5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-deed); background: var(--deed); border: 1px solid transparent; border-radius: 0.375rem;
}
a { color: var(--deed); }
.more { margin: 1.25rem 0 0; }
main > :last-child { margin-bottom: 0; }
:focus-visible { outline: 3px solid var(--deed); outline-offset: 2px; }
.alert:focus-visible { outline-color: var(--wrong); }
`;
