// All runs of the workspace.
import { html, useEffect, useState } from "../view.mjs";
import { read } from "../api.mjs";
import { bytes, count, short, text } from "../text/text.mjs";

const EVERY = 3000;

// How far a run is. One that has finished is at its end, even if time ended before its images.
export function progress(state, images, goal) {
  if (state === "finished") return { share: 1, words: text.ofImages(count(images), null) };
  return { share: goal ? Math.min(1, images / goal) : 0, words: text.ofImages(count(images), goal && count(goal)) };
}

export function State({ state }) {
  const known = text.states[state] ?? state;
  return html`<span class=${`state ${Object.hasOwn(text.states, state) ? state.replace(" ", "-") : "ended"}`} title=${text.stateHelp[state] ?? ""}>${known}</span>`;
}

export function Runs({ onFault }) {
  const [runs, setRuns] = useState(null);
  const [chosen, setChosen] = useState([]);

  useEffect(() => {
    let over = false;
    let timer;
    async function look() {
      try {
        const found = await read("runs");
        if (!over) setRuns(found);
        onFault(null);
      } catch (fault) {
        onFault(fault);
      }
      if (!over) timer = setTimeout(look, EVERY);
    }
    look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);

  if (runs === null) return html`<p class="quiet" role="status">${text.loading}</p>`;
  if (!runs.length) {
    return html`<section class="empty"><h1>${text.empty}</h1><p><a class="button" href="#/new">${text.newRun}</a></p><p class="quiet">${text.emptyHow}</p><pre>ganvas train my-images/ --out my-run --for 10m</pre></section>`;
  }
  const both = chosen.filter((id) => runs.some((run) => run.id === id));
  return html`<header class="run"><h1>${text.runs}</h1><a class="button" href="#/new">${text.newRun}</a></header>
    <ul class="cards">${runs.map((run) => html`<${Card} key=${run.id} run=${run} chosen=${chosen.includes(run.id)} full=${both.length === 2} choose=${(on) => setChosen(on ? [...both, run.id] : both.filter((one) => one !== run.id))} />`)}</ul>
    ${both.length === 2 && html`<p class="bar"><a class="button" href=${`#/compare/${both.join("/")}`}>${text.compareThem}</a></p>`}`;
}

function Card({ run, chosen, full, choose }) {
  if (run.model === null) { // its process has begun, and has written nothing yet
    return html`<li><div class="card"><div class="thumb"><span class="quiet">${text.noSamples}</span></div><div class="about"><h2>${run.path}</h2><p><${State} state=${run.state} /></p></div></div></li>`;
  }
  const { share, words } = progress(run.state, run.images, run.goal);
  return html`<li>
    <a class="card" href=${`#/runs/${run.id}`}>
      <div class="thumb">${run.thumbnail ? html`<img loading="lazy" alt="" src=${`/api/runs/${run.id}/samples/${run.thumbnail}`} />` : html`<span class="quiet">${text.noSamples}</span>`}</div>
      <div class="about">
        <h2>${run.path}</h2>
        <p><${State} state=${run.state} /> ${run.model} · ${run.size}</p>
        <progress max="1" value=${share} aria-label=${words}></progress>
        <p class="quiet">${words} · ${bytes(run.disk)} ${text.disk}${run.score === null ? "" : html` · <span title=${text.scoreThrough(run.network)}>${text.score} ${short(run.score)}</span>`}</p>
      </div>
    </a>
    <label class="pick" title=${full && !chosen ? text.compareTwo : ""}><input type="checkbox" checked=${chosen} disabled=${full && !chosen} aria-label=${`${text.compare}: ${run.path}`} onChange=${(e) => choose(e.target.checked)} /> ${text.compare}</label>
  </li>`;
}
