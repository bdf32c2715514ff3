"""How a plan's page looks: by day and by night, on a wide screen, a narrow one, and on paper."""

STYLE = """\
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #fff; --ink: #1d2330; --soft: #5c6675; --line: #e0e4ea;
  --red: #b3261e; --red-ground: #fdecea; --amber: #8a5300; --amber-ground: #fff3dc;
  --green: #17693a; --green-ground: #e5f5ea; --grey-ground: #eceff3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171d; --card: #1c2129; --ink: #e3e7ee; --soft: #9aa5b4; --line: #303742;
    --red: #ff9d94; --red-ground: #43201e; --amber: #f3c177; --amber-ground: #3d2f14;
    --green: #86d6a2; --green-ground: #17382a; --grey-ground: #2a303a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
h1, h2, h3, p, ul { margin: 0; }
h1 { font-size: 1.75rem; line-height: 1.25; display: flex; gap: .75rem; align-items: center; flex-wrap: wrap; }
h2 { font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); margin-bottom: .6rem; }
h3 { font-size: 1rem; display: inline-flex; gap: .5rem; align-items: center; overflow-wrap: anywhere; }
code {
  font: .88em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere;
}
header { padding-bottom: 1.25rem; border-bottom: 1px solid var(--line); }
header p { margin-top: .35rem; }
.over, .counts, .many, .runs { color: var(--soft); }
.arrow { color: var(--soft); margin: 0 .35rem; }
section { margin-top: 2rem; }
article, details, .refused { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
article, details { padding: .75rem 1rem; margin-bottom: .6rem; }
article p, details p { margin-top: .35rem; }
summary { cursor: pointer; }
.refused { padding: .9rem 1.1rem; border-color: var(--red); background: var(--red-ground); }
.refused h2 { color: var(--red); }
ul { padding-left: 1.15rem; }
li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin-top: .6rem; }
section > .wide { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .4rem 1rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--soft); }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:empty { width: 1.6rem; }
tbody tr:last-child td { border-bottom: 0; }
td { min-width: 7.5rem; }
td.mark { min-width: 1.6rem; }
td.number { min-width: 4.5rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.before code { color: var(--red); }
.after code { color: var(--green); }
.impact, .sign { border-radius: 1rem; font-size: .75rem; font-weight: 600; white-space: nowrap; }
.impact { padding: .1rem .6rem; background: var(--grey-ground); color: var(--soft); }
.impact.breaking { background: var(--red-ground); color: var(--red); }
.impact.behaviour { background: var(--amber-ground); color: var(--amber); }
.sign {
  display: inline-grid; place-items: center; flex: none; width: 1.4rem; height: 1.4rem;
  background: var(--amber-ground); color: var(--amber);
}
.sign.added { background: var(--green-ground); color: var(--green); }
.sign.removed { background: var(--red-ground); color: var(--red); }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; } }
"""
