// The words of every page, in English, and of those that are translated in other languages.
import en from "./en.mjs";
import kn from "./kn.mjs";

export const text = en;
export const LANGUAGES = { en, kn };

// A language's words; English ones where it has none.
export const inLanguage = (code) => ({ ...en, ...LANGUAGES[code] });

const number = new Intl.NumberFormat("en");

export const count = (n) => number.format(n);

export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return `${hours} h ${Math.round((seconds % 3600) / 60)} min`;
}

export function bytes(n) {
  if (n < 1e6) return `${Math.max(1, Math.round(n / 1e3))} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}

export function short(x) {
  return Math.abs(x) >= 1000 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(1) : `${+x.toPrecision(3)}`;
}
