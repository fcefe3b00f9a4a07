// Fields for numbers. A page that is drawn again, many times a second, must not take away what is
// being typed: it stands in the field until the field is left.
import { html, useState } from "./view.mjs";

// A number as people write it, with a decimal point or comma; NaN for what is none.
export const numberIn = (typed) => (typed.trim() === "" ? NaN : Number(typed.trim().replace(",", ".")));

export function NumberField({ value, low, high, step, set, ...rest }) {
  const [typed, setTyped] = useState(null); // null where nothing is being typed
  const input = (event) => {
    setTyped(event.target.value);
    const number = numberIn(event.target.value);
    if (number >= low && number <= high) set(number);
  };
  return html`<input type="number" min=${low} max=${high} step=${step} value=${typed ?? value} onInput=${input} onBlur=${() => setTyped(null)} ...${rest} />`;
}
