"""The report's style sheet: light and dark by the reader's own setting."""

STATE_COLOURS = {  # light, dark
    "driving_loaded": ("#1f5fbf", "#4d8fe8"),
    "driving_empty": ("#8db7ee", "#2f5f9e"),
    "turning": ("#1c9c94", "#35b8ad"),
    "at_station": ("#3f9a4b", "#57b564"),
    "handling": ("#7a5bc7", "#9b80e0"),
    "waiting": ("#e3872d", "#ee9a48"),
    "charging": ("#dcb92b", "#d9bb45"),
    "down": ("#cc3d3d", "#e25c5c"),
    "idle": ("#c9cdd3", "#4a505a"),
}

CSS = """
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#16191d;--soft:#5b6470;
--line:#e2e5e9;--grid:#eceef1;--bar:#2a6fd0;--trend:#e3872d;--good:#2c8a3d;--bad:#c23636;
--lane:#d5d9df;--move:#1f5fbf;--stand:#d9651a;LIGHT}
@media (prefers-color-scheme:dark){:root{--ground:#101317;--card:#191d23;--ink:#e8ebef;
--soft:#98a2ae;--line:#2a3038;--grid:#242a31;--bar:#4d8fe8;--trend:#ee9a48;--good:#5cc06c;
--bad:#ef6a6a;--lane:#323942;--move:#6aa6f5;--stand:#f59a55;DARK}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
main{max-width:1160px;margin:0 auto;padding:32px 20px 64px}
header{display:flex;flex-wrap:wrap;gap:4px 20px;align-items:baseline;margin-bottom:20px}
h1{font-size:26px;margin:0;letter-spacing:-.01em}
h2{font-size:16px;margin:0 0 2px}
p{margin:0}
.soft,.caption{color:var(--soft)}
.caption{font-size:13px;margin-bottom:12px}
.tiles{display:grid;grid-template-columns:repeat(6,1fr);gap:12px}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:14px 16px}
.tile b{display:block;font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.02em;
font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px;display:block}
.tile.head{grid-column:span 2;grid-row:span 2;border-left:4px solid var(--good);padding:20px 22px}
.tile.head b{font-size:52px;line-height:1.2}
.tile.head.bad{border-left-color:var(--bad)}
.tile.bad b{color:var(--bad)}
.counts{display:flex;gap:18px;margin-top:18px}.counts em{display:block;font-style:normal;
color:var(--ink);font-size:17px;font-weight:600}
.row{display:grid;grid-template-columns:1fr 1fr;gap:12px;margin-top:12px}
.card{padding:16px 18px;margin-top:12px;min-width:0}
.row .card{margin-top:0}
.row.uneven{grid-template-columns:2fr 3fr}
.origin{margin:-8px 0 16px;padding:8px 14px;border-left:4px solid var(--trend);background:var(--card);
border-radius:6px;font-size:13.5px}
svg{display:block;width:100%;height:auto}
svg text{font-family:inherit;fill:var(--soft);font-size:11px}
svg text.label{fill:var(--ink);font-size:13px}
svg text.on{fill:#fff;font-size:12px;font-weight:600}
svg text.note{fill:var(--ink);font-size:11.5px;font-weight:600}
svg text.place{fill:var(--ink);font-size:9.5px;font-weight:600;paint-order:stroke;
stroke:var(--card);stroke-width:3px}
.grid{stroke:var(--grid)}.base{stroke:var(--line)}
.bar{fill:var(--bar)}.trend{fill:none;stroke:var(--trend);stroke-width:2.5;stroke-linejoin:round}
.mark{stroke:var(--ink);stroke-dasharray:3 3}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.l0{stroke:var(--bar)}.l1{stroke:var(--trend)}.l2{stroke:var(--good)}.l3{stroke:var(--handling)}
.l4{stroke:var(--turning)}.l5{stroke:var(--soft)}
i.l0{background:var(--bar)}i.l1{background:var(--trend)}i.l2{background:var(--good)}
i.l3{background:var(--handling)}i.l4{background:var(--turning)}i.l5{background:var(--soft)}
.hover{fill:transparent}.hover:hover{fill:var(--ink);opacity:.06}
.cell{fill:var(--at_station)}
.f-all{fill:var(--bar)}.f-try{fill:var(--driving_empty)}.f-good{fill:var(--good)}
.f-aside{fill:var(--charging)}.f-person{fill:var(--bad)}.f-open{fill:var(--soft)}
.better,.tile span.better{color:var(--good)}.worse,.tile span.worse{color:var(--bad)}
.nowrap td,.nowrap th{white-space:nowrap}
.whole .scroll{max-height:none}
.chips{display:flex;flex-wrap:wrap;gap:4px 10px}.chips span{white-space:nowrap}
rect:hover{opacity:.8}
.lane{stroke:var(--lane);stroke-width:1;fill:none}
.move{fill:var(--move)}.stand{fill:var(--stand)}
.bay{fill:none;stroke:var(--soft);stroke-width:.7;stroke-opacity:.55}
.bay.station{fill:var(--ink);stroke:none}
.bay.charger{stroke:var(--charging);stroke-opacity:1}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;color:var(--soft);margin-top:12px}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
.scale{display:inline-flex;vertical-align:-1px;margin:0 6px}
.scale i{width:14px;height:11px;display:block}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;max-height:420px;overflow-y:auto}
th{text-align:left;color:var(--soft);font-weight:500;position:sticky;top:0;background:var(--card)}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;padding-right:20px}
td code{font-size:12.5px;overflow-wrap:anywhere}
.meter{display:inline-block;width:110px;height:8px;border-radius:4px;background:var(--grid);
vertical-align:1px;margin-right:8px;overflow:hidden}
.meter i{display:block;height:100%;background:var(--bar)}
@media (max-width:900px){.row,.row.uneven{grid-template-columns:1fr}
.tiles{grid-template-columns:1fr 1fr}}
@media print{body{background:#fff}.scroll{max-height:none}}
"""


def sheet() -> str:
    """The style sheet with the colours of the states."""
    light = "".join(f"--{name}:{pair[0]};" for name, pair in STATE_COLOURS.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in STATE_COLOURS.items())
    classes = "".join(
        f".{name}{{fill:var(--{name})}}i.{name}{{background:var(--{name})}}"
        for name in STATE_COLOURS
    )
    return CSS.replace("LIGHT", light).replace("DARK", dark) + classes
