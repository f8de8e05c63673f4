/** The look of the report: light and dark, narrow and wide, on paper; nothing from anywhere else. */
export const reportStyle = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#17202a;--soft:#5b6774;--line:#dfe4ea;--accent:#1f5fbf;
--good:#116b3c;--good-back:#e6f4ec;--bad:#a4161a;--bad-back:#fcebeb;--warn:#7a4b00;--warn-back:#fdf3dd;--info:#34495e;--info-back:#eaf0f6}
@media (prefers-color-scheme:dark){:root{--page:#11151a;--card:#1a2027;--text:#e6eaef;--soft:#a3aeba;--line:#2f3842;--accent:#8ab8ff;
--good:#7fdca6;--good-back:#143323;--bad:#ff9d9d;--bad-back:#431a1c;--warn:#f3c978;--warn-back:#3b2c10;--info:#b9cade;--info-back:#232e3a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:88rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.25rem 0 .75rem}
p{margin:.3rem 0}
.soft{color:var(--soft)}
code,.mono{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace;overflow-wrap:anywhere}
.verdict{margin:1.25rem 0;padding:1rem 1.25rem;border-radius:.6rem;border-left:.4rem solid}
.verdict strong{font-size:1.15rem}
.good{background:var(--good-back);border-color:var(--good)}.good strong,.tag.good{color:var(--good)}
.bad{background:var(--bad-back);border-color:var(--bad)}.bad strong,.tag.bad{color:var(--bad)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.25rem}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.35rem 1.25rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-bottom:1px solid var(--line)}
thead th{position:sticky;top:0;background:var(--card);color:var(--soft);font-weight:600;white-space:nowrap}
tbody tr:last-child>*{border-bottom:0}
tbody th{font-weight:600}
td.time,td.number,td code{white-space:nowrap}
time{white-space:nowrap}
td.wrap .lines{white-space:pre-line}
td.wrap{overflow-wrap:anywhere;min-width:10rem;max-width:18rem}
td.number{text-align:right;font-variant-numeric:tabular-nums}
.tag{display:inline-block;border-radius:1rem;padding:0 .6rem;font-size:.85em;font-weight:600}
.tag.warn{background:var(--warn-back);color:var(--warn)}.tag.info{background:var(--info-back);color:var(--info)}
.list{list-style:none;margin:0;padding:0}
.list li{padding:.5rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}.list li:last-child{border:0}
summary{white-space:nowrap;cursor:pointer;font-weight:600;padding:.25rem 0}
details>.soft,details>div{margin-top:.4rem}
nav a,.list a{color:var(--accent)}nav a{margin-right:1rem}
tbody{content-visibility:auto}
@media (max-width:40rem){main{padding:1.25rem .9rem 3rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}
@media print{:root{--page:#fff;--card:#fff;--text:#000;--soft:#444;--line:#bbb}main{max-width:none;padding:0}
.scroll{overflow:visible;border:0}thead{display:table-header-group}thead th{position:static}tr{break-inside:avoid}nav{display:none}
table{font-size:8pt}.verdict{border:1px solid;border-left-width:.4rem}}
`;
