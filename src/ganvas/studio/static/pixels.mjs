// An image as the studio sends it: number, width and height (little-endian), then RGBA.
export function paint(canvas, data) {
  if (!canvas) return;
  const view = new DataView(data);
  const [width, height] = [view.getUint16(4, true), view.getUint16(6, true)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(data, 8), width, height), 0, 0);
}
