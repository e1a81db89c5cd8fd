/// The style sheet of the page: light and dark, for screens of any width and for paper.
///
/// Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people who cannot tell
/// some colours apart can tell apart; width, dashes, letters and order say the same again. Text keeps a
/// contrast of 4.5 to 1 or more.
enum HTMLStyle {
  static let sheet = colours + page + drawings + narrow + paper

  private static let colours = """
    :root{color-scheme:light dark;--bg:#fff;--text:#1b1f24;--muted:#555d66;--line:#d5dae0;
    --soft:#f4f6f8;--link:#0b57b0;--rule:#e4e8ec;--axis:#6b747d;
    --before:#b9c3cd;--before-edge:#5f6b77;--after:#0072b2;--whisker:#1b1f24;
    --s2:#a84a00;--s3:#007a5a;--s4:#8e4a78;--s5:#8a6a00;--s6:#1b1f24;
    --measured:#0a5c43;--measured-bg:#dff3ec;--derived:#084c86;--derived-bg:#e0eefb;
    --modelled:#7a3a00;--modelled-bg:#fdeedd;
    --h0:#f4f6f8;--h1:#dbe7f5;--h2:#bcd4ee;--h3:#94bbe2;--h4:#699fd2;--h5:#417fbb;--h6:#235f9b;
    --h7:#104275;--h8:#05234a}
    @media (prefers-color-scheme:dark){:root{--bg:#11161c;--text:#e4e8ec;--muted:#a4aeb8;
    --line:#333c46;--soft:#1a2129;--link:#7cb8f5;--rule:#262e37;--axis:#8a949e;
    --before:#4a5561;--before-edge:#93a0ac;--after:#56b4e9;--whisker:#f4f6f8;
    --s2:#f0a04b;--s3:#4cc9a4;--s4:#e09ac8;--s5:#e3cf57;--s6:#f4f6f8;
    --measured:#8fe3c6;--measured-bg:#12352b;--derived:#a5cff5;--derived-bg:#132f4a;
    --modelled:#f5c48d;--modelled-bg:#402a12;
    --h0:#1a2129;--h1:#16324f;--h2:#19466f;--h3:#1f5d92;--h4:#3279b4;--h5:#5497cd;--h6:#80b5e0;
    --h7:#b3d4ee;--h8:#e8f3fc}}

    """

  private static let page = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0;background:var(--bg);color:var(--text);
    font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
    display:grid;grid-template-columns:minmax(0,1fr);padding:0 1rem 3rem}
    header,main,nav{width:100%;max-width:60rem;margin:0 auto;min-width:0}
    h1{font-size:1.6rem;line-height:1.25;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}
    h2{font-size:1.2rem;line-height:1.3;margin:2.5rem 0 .75rem;padding-top:.75rem;
    border-top:1px solid var(--line);overflow-wrap:anywhere}
    h3{font-size:1rem;line-height:1.3;margin:0;display:inline;overflow-wrap:anywhere}
    p{margin:.5rem 0;max-width:46rem;overflow-wrap:anywhere}
    a{color:var(--link)}
    .tiles{list-style:none;margin:1rem 0 1.25rem;padding:0;display:flex;flex-wrap:wrap;gap:.75rem}
    .tiles li{flex:1 1 13rem;background:var(--soft);border-radius:.4rem;padding:.6rem .85rem .7rem;
    overflow-wrap:anywhere;display:flex;flex-direction:column;align-items:flex-start;gap:.15rem}
    .tiles strong{font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}
    .tiles .name,.tiles .detail{font-size:.9rem;color:var(--muted)}
    .tiles .grade{margin-top:auto}
    nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.15rem 1rem;
    font-size:.9rem}
    nav a{text-decoration:none}
    nav a:hover{text-decoration:underline}
    dl{margin:.75rem 0}
    dl div{display:grid;grid-template-columns:minmax(7rem,11rem) minmax(0,1fr);gap:0 1rem;
    padding:.15rem 0}
    dt{color:var(--muted);overflow-wrap:anywhere}
    dd{margin:0;overflow-wrap:anywhere}
    .grade{display:inline-block;font-size:.78rem;line-height:1.35;padding:.05rem .45rem;
    border-radius:.6rem;vertical-align:.08em;white-space:normal;font-weight:500;max-width:100%}
    .measured{color:var(--measured);background:var(--measured-bg)}
    .derived{color:var(--derived);background:var(--derived-bg)}
    .modelled{color:var(--modelled);background:var(--modelled-bg)}
    .paper{display:none}
    .scroll{--under:var(--bg);overflow-x:auto;max-width:100%;
    background:linear-gradient(90deg,var(--under) 40%,transparent) left/2rem 100% no-repeat local,
    linear-gradient(270deg,var(--under) 40%,transparent) right/2rem 100% no-repeat local,
    linear-gradient(90deg,var(--line),transparent) left/.6rem 100% no-repeat,
    linear-gradient(270deg,var(--line),transparent) right/.6rem 100% no-repeat var(--under)}
    .scroll.screen{--under:var(--soft);margin:.25rem 0 .75rem;border-radius:.3rem}
    .scroll pre{margin:0;background:none}
    .scroll:focus-visible,a:focus-visible,summary:focus-visible{outline:2px solid var(--link);
    outline-offset:2px}
    pre{margin:.25rem 0 .75rem;padding:.6rem .75rem;background:var(--soft);border-radius:.3rem;
    width:max-content;min-width:100%;
    font:13px/1.45 ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace}
    code{white-space:nowrap;font:.92em ui-monospace,"SFMono-Regular",Menlo,Consolas,
    "DejaVu Sans Mono",monospace}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;margin:.5rem 0}
    th,td{padding:.25rem .75rem;text-align:right;vertical-align:top;
    border-bottom:1px solid var(--line);white-space:nowrap}
    th:first-child{text-align:left;padding-left:0}
    thead th{color:var(--muted);font-weight:600;border-bottom:2px solid var(--line)}
    tbody th{font-weight:400;max-width:32rem;white-space:normal;overflow-wrap:anywhere;min-width:7rem}
    tbody tr:hover{background:var(--soft)}
    details{margin:.25rem 0 .5rem}
    summary{cursor:pointer;color:var(--link);font-size:.9rem;width:max-content}
    details .scroll{max-height:24rem;overflow:auto}

    """

  private static let drawings = """
    .plots{display:flex;flex-wrap:wrap;gap:1rem 1.5rem}
    figure{margin:1rem 0;min-width:0;max-width:100%;flex:0 1 auto}
    figcaption{margin-bottom:.35rem}
    .summary{font-size:.9rem;color:var(--muted)}
    .legend{list-style:none;margin:.2rem 0 .3rem;padding:0;display:flex;flex-wrap:wrap;
    gap:.1rem 1.1rem;font-size:.85rem}
    .legend li{overflow-wrap:anywhere}
    .key{display:inline-block;width:26px;height:14px;margin-right:.4rem;vertical-align:-.1em}
    svg{display:block;width:100%;height:auto;
    font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
    svg text{fill:var(--text)}
    svg .tick,svg .unit{fill:var(--muted);font-variant-numeric:tabular-nums}
    .axis{stroke:var(--axis);fill:none}
    .rule{stroke:var(--rule);fill:none}
    .bar{stroke:none}
    .b0{fill:var(--before)}
    .b0.wide{fill:var(--before)}
    .b1{fill:var(--after)}.b2{fill:var(--s2)}.b3{fill:var(--s3)}.b4{fill:var(--s4)}
    .b5{fill:var(--s5)}
    .whisker{stroke:var(--whisker);stroke-width:1.5;fill:none}
    .tip{fill:transparent}
    .tip:hover{fill:var(--text);fill-opacity:.07}
    .line{fill:none;stroke-width:2;stroke-linejoin:round}
    .area{stroke:none;fill-opacity:.45}
    .area.l0{fill:var(--before)}
    .area.l1{fill:var(--after);fill-opacity:.16}
    .line.l0{stroke:var(--before-edge)}
    .line.l1{stroke:var(--after)}
    .line.l2{stroke:var(--s2);stroke-dasharray:7 3}
    .line.l3{stroke:var(--s3);stroke-dasharray:2 2}
    .line.l4{stroke:var(--s4);stroke-dasharray:9 3 2 3}
    .line.l5{stroke:var(--s5);stroke-dasharray:4 4}
    .line.l6{stroke:var(--s6);stroke-dasharray:12 4}
    .cells{shape-rendering:crispEdges}
    .h0{fill:var(--h0)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}
    .h4{fill:var(--h4)}.h5{fill:var(--h5)}.h6{fill:var(--h6)}.h7{fill:var(--h7)}.h8{fill:var(--h8)}
    .swatch rect[class^="h"]{stroke:var(--line)}
    .part{stroke:var(--bg);stroke-width:1}
    .p0{fill:#a9d3ef}.p1{fill:#f3b183}.p2{fill:#8fd6bd}.p3{fill:#f2e38a}.p4{fill:#dfb0cf}
    .p5{fill:#c9ced4}.p6{fill:#b8b2e6}.p7{fill:#e9e9e9}
    svg .letter{fill:#15191d;font-size:11px;font-weight:600}
    .flame{stroke:none}
    .f0{fill:#dcdcdc}.f1{fill:#f6c28b}.f2{fill:#f2a97e}.f3{fill:#f7d58b}.f4{fill:#efb9a0}
    .f5{fill:#eac79a}
    .flame:hover{fill:#fff3c4}
    svg .frame{fill:#15191d}

    """

  private static let narrow = """
    @media (max-width:560px){body{padding:0 .75rem 2rem;font-size:15px}
    dl div{grid-template-columns:minmax(0,1fr);padding:.25rem 0}
    h1{font-size:1.3rem}h2{font-size:1.1rem}}
    @media (min-width:1280px){body{grid-template-columns:15rem minmax(0,60rem);gap:0 3rem;
    justify-content:center}
    header{grid-column:2;max-width:none}
    nav{grid-column:1;grid-row:2}
    nav ul{position:sticky;top:1.5rem;flex-direction:column;gap:.4rem;line-height:1.3;
    padding-top:2.5rem}
    main{grid-column:2;grid-row:2}}

    """

  private static let paper = """
    @media print{:root{--bg:#fff;--text:#000;--muted:#444;--line:#bbb;--soft:#f4f4f4;--link:#000;
    --rule:#ddd;--axis:#555;--before:#c5ccd3;--before-edge:#5f6b77;--after:#0072b2;--whisker:#000;
    --s2:#a84a00;--s3:#007a5a;--s4:#8e4a78;--s5:#8a6a00;--s6:#000;
    --measured:#0a5c43;--measured-bg:#fff;--derived:#084c86;--derived-bg:#fff;
    --modelled:#7a3a00;--modelled-bg:#fff;
    --h0:#f4f6f8;--h1:#dbe7f5;--h2:#bcd4ee;--h3:#94bbe2;--h4:#699fd2;--h5:#417fbb;--h6:#235f9b;
    --h7:#104275;--h8:#05234a}
    *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
    body{display:block;padding:0;font-size:10pt}
    nav,details,.screen{display:none}
    .paper{display:block}
    .plots{display:block}
    figure.small{display:inline-block;width:48%;vertical-align:top;margin-right:1%}
    header,main{max-width:none}
    h2{break-after:avoid;margin-top:1.2rem}
    figure,dl div,tr{break-inside:avoid}
    .grade{border:1px solid currentColor}
    .scroll{overflow:visible;background:none}
    svg{min-width:0 !important}
    pre{white-space:pre-wrap;overflow-wrap:anywhere;width:auto;font-size:8pt;padding:.2rem .4rem}
    table{font-size:8pt}
    th,td{padding:.15rem .4rem;white-space:normal}}

    """
}
