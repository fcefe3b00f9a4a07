// The lesson in the browser: the game on points, the losses of style transfer, the questions.
import { html, useState } from "../view.mjs";
import { LANGUAGES, inLanguage } from "../text/text.mjs";
import { Losses } from "../learn/losses.mjs";
import { Points } from "../learn/points.mjs";
import { Quiz } from "../learn/quiz.mjs";

const PARTS = { points: Points, losses: Losses, questions: Quiz };
const REMEMBERED = "ganvas-language";

export function Learn({ id, onFault }) {
  const [language, setLanguage] = useState(localStorage.getItem(REMEMBERED) ?? "en");
  const t = inLanguage(language).learn;
  const part = Object.hasOwn(PARTS, id ?? "") ? id : "points";

  function choose(code) {
    localStorage.setItem(REMEMBERED, code);
    setLanguage(code);
  }

  return html`<article lang=${language}>
    <header class="run"><h1>${t.title}</h1>
      <nav class="parts" aria-label=${t.title}>${Object.keys(PARTS).map((name) => html`<a href=${`#/learn/${name}`} aria-current=${name === part ? "page" : undefined}>${t.parts[name]}</a>`)}</nav>
      <label>${t.language} <select value=${language} onChange=${(e) => choose(e.target.value)}>${Object.entries(LANGUAGES).map(([code, words]) => html`<option value=${code} lang=${code} selected=${code === language}>${words.language}</option>`)}</select></label>
    </header>
    <${PARTS[part]} key=${part} t=${t} language=${language} onFault=${onFault} />
  </article>`;
}
