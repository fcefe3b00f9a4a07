// The metrics log in the browser: columns that grow, halved when there are too many points.
const MOST = 8000;

export const empty = () => ({ columns: { images: [] }, events: [] });

export function isPoint(line) {
  return line.images !== undefined && line.event === undefined;
}

// A log with further lines; the one before stays as it is.
export function extended(log, lines) {
  const points = lines.filter(isPoint);
  let shown = log.columns.images.at(-1) ?? 0;
  const events = [...log.events];
  for (const line of lines) {
    if (isPoint(line)) shown = line.images;
    else if (line.event) events.push({ images: shown, ...line });
  }
  if (!points.length) return { columns: log.columns, events: events.slice(-MOST) };
  const names = new Set([...Object.keys(log.columns), ...points.flatMap((line) => Object.keys(line))]);
  const before = log.columns.images.length;
  const columns = {};
  for (const name of names) {
    const known = log.columns[name] ?? new Array(before).fill(null);
    columns[name] = [...known, ...points.map((line) => (typeof line[name] === "number" ? line[name] : null))];
  }
  return { columns: thinned(columns), events: events.slice(-MOST) };
}

// Every second point, but every score: scores are rare.
function thinned(columns) {
  const count = columns.images.length;
  if (count <= MOST) return columns;
  const rare = ["score", "kernel"].filter((name) => columns[name]);
  const keep = columns.images.map((_, n) => n % 2 === 1 || n === count - 1 || rare.some((name) => columns[name][n] !== null));
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.filter((_, n) => keep[n])]));
}
