// The plane of the game on points: where the discriminator sees real ones, the points themselves.
export const EDGE = 1.6; // coordinates go from -EDGE to EDGE
const CELLS = 40; // of the field, a side
const REAL = [0, 114, 178];
const FAKE = [213, 94, 0];
const STRENGTH = 0.75; // of the colours where the discriminator is sure

const small = document.createElement("canvas");
small.width = small.height = CELLS;

export const toPixel = (canvas, x, y) => [((x + EDGE) / (2 * EDGE)) * canvas.width, ((EDGE - y) / (2 * EDGE)) * canvas.height];

export function draw(canvas, game, cursor) {
  if (!canvas) return; // the page has been left
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const page = colour(style.getPropertyValue("--page"));
  const ink = style.getPropertyValue("--ink");
  field(context, canvas, game, page);
  crosses(context, canvas, game.shown, ink);
  dots(context, canvas, game.samples(), style.getPropertyValue("--fake"), style.getPropertyValue("--page"));
  if (cursor) {
    const [x, y] = toPixel(canvas, ...cursor);
    context.strokeStyle = ink;
    context.lineWidth = 2;
    context.strokeRect(x - 8, y - 8, 16, 16);
  }
}

function field(context, canvas, game, page) {
  const pixels = new ImageData(CELLS, CELLS);
  game.field(CELLS, EDGE).forEach((probability, n) => {
    const sure = STRENGTH * Math.abs(2 * probability - 1);
    const towards = probability > 0.5 ? REAL : FAKE;
    for (let c = 0; c < 3; c++) pixels.data[4 * n + c] = page[c] + sure * (towards[c] - page[c]);
    pixels.data[4 * n + 3] = 255;
  });
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

function crosses(context, canvas, points, ink) {
  context.strokeStyle = ink;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let n = 0; n < points.length; n += 2) {
    const [x, y] = toPixel(canvas, points[n], points[n + 1]);
    context.moveTo(x - 3, y);
    context.lineTo(x + 3, y);
    context.moveTo(x, y - 3);
    context.lineTo(x, y + 3);
  }
  context.stroke();
}

function dots(context, canvas, points, fill, rim) {
  context.fillStyle = fill;
  context.strokeStyle = rim;
  context.lineWidth = 1;
  for (let n = 0; n < points.length; n += 2) {
    const [x, y] = toPixel(canvas, points[n], points[n + 1]);
    context.beginPath();
    context.arc(x, y, 3.5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

function colour(text) {
  const hex = text.trim().slice(1);
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
