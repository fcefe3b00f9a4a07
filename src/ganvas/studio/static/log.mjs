// The metrics log in the browser: columns that grow, halved when there are too many points.
const MOST = 8000;

export const empty = () => ({ columns: { images: [] }, events: [] });

export function isPoint(line) {
  return line.images !== undefined && line.event === undefined;
}

// Whether a run has ended by itself: its log has a stop, too, but nobody has asked for it.
const BY_ITSELF = ["finished", "given up"];
export const isEnd = (line) => line.event === "command" && line.command === "stop" && BY_ITSELF.includes(line.reason);

// Dropped steps that follow each other as one, with the last reason: there may be thousands.
export function grouped(events) {
  const found = [];
  for (const event of events) {
    const before = found.at(-1);
    if (event.event === "dropped" && before?.event === "dropped") found[found.length - 1] = { ...event, first: before.first ?? before.step, times: (before.times ?? 1) + (event.times ?? 1) };
    else found.push(event);
  }
  return found;
}

// Lines of the same moment as one: losses, and the score after them.
function joined(points) {
  const found = [];
  for (const line of points) {
    if (found.length && found.at(-1).images === line.images) found[found.length - 1] = { ...found.at(-1), ...line };
    else found.push(line);
  }
  return found;
}

// A log with further lines; the one before stays as it is.
export function extended(log, lines) {
  let shown = log.columns.images.at(-1) ?? 0;
  const events = [...log.events];
  for (const line of lines) {
    if (isPoint(line)) shown = line.images;
    else if (line.event) events.push({ images: shown, ...line });
  }
  const points = joined(lines.filter(isPoint));
  let columns = log.columns;
  if (points.length && points[0].images === columns.images.at(-1)) columns = withLast(columns, points.shift());
  if (points.length) columns = thinned(longer(columns, points));
  return { columns, events: events.slice(-MOST) };
}

function longer(columns, points) {
  const names = new Set([...Object.keys(columns), ...points.flatMap((line) => Object.keys(line))]);
  const before = columns.images.length;
  const found = {};
  for (const name of names) {
    const known = columns[name] ?? new Array(before).fill(null);
    found[name] = [...known, ...points.map((line) => (typeof line[name] === "number" ? line[name] : null))];
  }
  return found;
}

// Columns whose last point has more numbers.
function withLast(columns, line) {
  const last = columns.images.length - 1;
  const found = { ...columns };
  for (const [name, value] of Object.entries(line)) {
    if (typeof value !== "number") continue;
    found[name] = [...(columns[name] ?? new Array(last + 1).fill(null))];
    found[name][last] = value;
  }
  return found;
}

// Every second point, but every score: scores are rare.
function thinned(columns) {
  const count = columns.images.length;
  if (count <= MOST) return columns;
  const rare = ["score", "kernel"].filter((name) => columns[name]);
  const keep = columns.images.map((_, n) => n % 2 === 1 || n === count - 1 || rare.some((name) => columns[name][n] !== null));
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.filter((_, n) => keep[n])]));
}
