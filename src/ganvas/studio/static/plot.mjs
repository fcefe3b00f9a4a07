// Curves over images shown: one uPlot for each panel, all with one cursor and one zoom.
import { axis, counts, followScheme, ink, room } from "./axes.mjs";
import uPlot from "./vendor/uPlot.mjs";
import { html, useEffect, useRef } from "./view.mjs";
import { isEnd } from "./log.mjs";
import { count, short, text } from "./text/text.mjs";

const COLOURS = ["#0072b2", "#d55e00", "#009e73"];
const HEIGHT = 180;
const FEW = 60; // points, up to which each is marked
const OUTLIER = 4; // times the spread of nearly all values: what lies farther off is not shown

const MARKED = ["diagnosis", "treatment", "command"];

// The range of losses: all of them, but for a few that went far beyond the rest, as before a
// treatment, and would make a flat line of it.
function fair(u, low, high) {
  const all = u.data.slice(1).flat().filter((y) => y !== null && y !== undefined).sort((a, b) => a - b);
  if (all.length < FEW) return uPlot.rangeNum(low, high, 0.1, true);
  const [first, last] = [all[Math.floor(0.02 * all.length)], all[Math.floor(0.9 * all.length)]];
  const most = last + OUTLIER * (last - first);
  return uPlot.rangeNum(Math.max(low, first - OUTLIER * (last - first)), Math.min(high, most), 0.1, true);
}

// Which numbers of the log stand in which panel.
export const PANELS = {
  losses: ["loss_d", "loss_g", "loss", "reconstruction", "divergence"],
  logits: ["logit_gap"],
  probabilities: ["d_real", "d_fake"],
  thumbnails: ["score"],
  kernel: ["kernel"],
  shares: ["precision", "recall", "coverage"],
};

export function panelsOf(columns) {
  return Object.entries(PANELS)
    .map(([panel, names]) => [panel, names.filter((name) => columns[name]?.some((x) => x !== null))])
    .filter(([, names]) => names.length);
}

// What a line on the curves is called: the issue that was found or treated, or the command.
const called = (event) => event.issue ?? event.text ?? event.command;

// Vertical lines where issues were found and treated, and commands applied, with their names.
function marks(events) {
  return {
    hooks: {
      draw: (u) => {
        const shown = events().filter((e) => MARKED.includes(e.event) && !e.refused && !isEnd(e));
        const scale = devicePixelRatio;
        let free = u.bbox.left; // where the next name has room
        u.ctx.save();
        u.ctx.strokeStyle = u.ctx.fillStyle = ink(u.root);
        u.ctx.font = `${11 * scale}px system-ui, sans-serif`;
        u.ctx.textAlign = "left";
        u.ctx.textBaseline = "top";
        for (const event of shown) {
          const x = u.valToPos(event.images ?? 0, "x", true);
          if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
          u.ctx.setLineDash(event.event === "command" ? [2, 3] : [6, 4]);
          u.ctx.beginPath();
          u.ctx.moveTo(x, u.bbox.top);
          u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
          u.ctx.stroke();
          const name = called(event);
          if (x < free || !name) continue;
          const wide = u.ctx.measureText(name).width;
          const beyond = x + 3 * scale + wide > u.bbox.left + u.bbox.width;
          const from = beyond ? x - 3 * scale - wide : x + 3 * scale;
          if (from < free) continue;
          u.ctx.fillText(name, from, u.bbox.top + 2 * scale);
          free = from + wide + 5 * scale;
        }
        u.ctx.restore();
      },
    },
  };
}

export function Panel({ panel, names, columns, events, zoom, onZoom }) {
  const place = useRef(null);
  const plot = useRef(null);
  const known = useRef(events);
  known.current = events;

  useEffect(() => {
    const made = new uPlot(
      {
        width: place.current.clientWidth,
        height: HEIGHT,
        cursor: { sync: { key: "curves" }, drag: { x: true, y: false } },
        scales: { x: { time: false }, ...(panel === "losses" ? { y: { range: fair } } : {}) },
        legend: { live: true },
        plugins: [marks(() => known.current)],
        axes: [
          counts(),
          { ...axis(), size: room, values: (u, ticks) => ticks.map(short) },
        ],
        series: [
          { label: text.images, value: (u, x) => (x === null ? "–" : count(x)) },
          ...names.map((name, n) => ({
            label: text.curveNames[name],
            stroke: COLOURS[n % COLOURS.length],
            width: 1.5,
            spanGaps: true,
            points: { show: (u) => u.data[0].length < FEW || ["thumbnails", "kernel", "shares"].includes(panel) },
            value: (u, y) => (y === null || y === undefined ? "–" : short(y)),
          })),
        ],
        hooks: {
          setSelect: [(u) => u.select.width > 4 && onZoom([u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")])],
        },
      },
      [columns.images, ...names.map((name) => columns[name])],
      place.current,
    );
    made.over.addEventListener("dblclick", () => onZoom(null));
    plot.current = made;
    const watch = new ResizeObserver(([entry]) => made.setSize({ width: entry.contentRect.width, height: HEIGHT }));
    watch.observe(place.current);
    const unfollow = followScheme(made);
    return () => {
      unfollow();
      watch.disconnect();
      made.destroy();
    };
  }, [names.join()]);

  useEffect(() => {
    const all = columns.images;
    plot.current.setData([all, ...names.map((name) => columns[name])], false);
    const [min, max] = zoom ?? [all[0] ?? 0, all.at(-1) ?? 0];
    plot.current.setScale("x", { min, max: max > min ? max : min + 1 }); // no axis of length 0
  }, [columns, zoom, events]);

  return html`<figure class="panel"><figcaption>${text.panels[panel]}</figcaption><div ref=${place}></div></figure>`;
}
