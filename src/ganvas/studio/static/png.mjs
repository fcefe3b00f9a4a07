// The settings that a kept image has in its file: the text chunk "ganvas.explore" of a PNG.
const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const NAME = "ganvas.explore";

export function settingsIn(buffer) {
  const bytes = new Uint8Array(buffer);
  if (!SIGNATURE.every((byte, n) => bytes[n] === byte)) return null;
  const view = new DataView(buffer);
  const latin = new TextDecoder("latin1");
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = latin.decode(bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    const end = data.indexOf(0);
    if (kind === "tEXt" && latin.decode(data.subarray(0, end)) === NAME) {
      try {
        return JSON.parse(latin.decode(data.subarray(end + 1)));
      } catch {
        return null;
      }
    }
    at += 12 + length;
  }
  return null;
}
