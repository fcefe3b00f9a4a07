// Curves of a few numbers that grow from moment to moment.
import { axis, counts, followScheme, room } from "./axes.mjs";
import uPlot from "./vendor/uPlot.mjs";
import { html, useEffect, useRef } from "./view.mjs";
import { short } from "./text/text.mjs";

const COLOURS = ["#0072b2", "#d55e00", "#009e73"];

const SCALES = {
  zero: { range: (u, low, high) => [0, high > 0 ? 1.05 * high : 1] },
  logarithmic: { distr: 3 },
  fitting: {},
};

// `columns` is x, then a list of numbers for each name.
export function Lines({ names, columns, along, scale = "fitting" }) {
  const place = useRef(null);
  const plot = useRef(null);

  useEffect(() => {
    const made = new uPlot(
      {
        width: place.current.clientWidth,
        height: 190,
        cursor: { drag: { x: false, y: false } },
        scales: { x: { time: false }, y: SCALES[scale] },
        axes: [counts(), { ...axis(), size: room, values: (u, ticks) => ticks.map((y) => (y === null ? "" : short(y))) }],
        series: [
          { label: along },
          ...names.map((label, n) => ({
            label,
            stroke: COLOURS[n],
            width: 1.5,
            spanGaps: true,
            ...(scale === "fitting" ? {} : { points: { show: false } }),
            value: (u, y) => (y === null || y === undefined ? "–" : short(y)),
          })),
        ],
      },
      columns,
      place.current,
    );
    plot.current = made;
    const watch = new ResizeObserver(([entry]) => made.setSize({ width: entry.contentRect.width, height: 190 }));
    watch.observe(place.current);
    const unfollow = followScheme(made);
    return () => {
      unfollow();
      watch.disconnect();
      made.destroy();
    };
  }, [names.join(), along]);

  useEffect(() => plot.current.setData(columns), [columns]);
  return html`<div ref=${place}></div>`;
}
