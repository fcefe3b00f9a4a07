// Axes of curves in the page's ink, whichever colours it has at the moment.
import { count } from "./text/text.mjs";

const WHOLE = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

export const ink = (element) => getComputedStyle(element).getPropertyValue("--quiet").trim() || "#888";

export function axis() {
  const faint = (share) => ({ stroke: (u) => `${ink(u.root)}${share}` });
  return { stroke: (u) => ink(u.root), grid: faint("33"), ticks: faint("66") };
}

// An axis of whole numbers: images, steps, iterations.
export const counts = () => ({ ...axis(), incrs: WHOLE, values: (u, ticks) => ticks.map((x) => count(x)) });

// The room that the numbers of an upright axis need, in pixels.
export const room = (u, values) => Math.max(50, 22 + 7 * Math.max(0, ...(values ?? []).map((value) => value.length)));

// Draw a plot again when the page turns dark or light; returns what ends that.
export function followScheme(plot) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const again = () => plot.redraw(false);
  dark.addEventListener("change", again);
  return () => dark.removeEventListener("change", again);
}
