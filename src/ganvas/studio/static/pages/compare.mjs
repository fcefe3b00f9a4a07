// Two runs side by side: samples after as many images, and each curve on one plot.
import uPlot from "../vendor/uPlot.mjs";
import { html, useEffect, useState } from "../view.mjs";
import { read } from "../api.mjs";
import { Lines } from "../lines.mjs";
import { count, text } from "../text/text.mjs";
import { State } from "./runs.mjs";

const COMPARED = ["kernel", "coverage", "recall", "precision", "score", "loss_d", "loss_g", "loss", "logit_gap"];
const images = (file) => Number(file.slice(0, -4));

export function Compare({ ids, onFault }) {
  const [runs, setRuns] = useState(null);

  useEffect(() => {
    const one = async (id) => ({ ...(await read(`runs/${id}`)), ...(await read(`runs/${id}/curves`)) });
    Promise.all(ids.map(one)).then(setRuns, onFault);
  }, []);

  if (runs === null) return html`<p class="quiet" role="status">${text.loading}</p>`;
  const names = COMPARED.filter((name) => runs.every((run) => run.columns[name]?.some((y) => y !== null)));
  return html`
    <nav><a href="#/runs">← ${text.back}</a></nav>
    <h1>${text.comparison}</h1>
    <${Sheets} runs=${runs} />
    <${Differences} runs=${runs} />
    <div class="columns">${names.map((name) => html`<figure class="panel"><figcaption>${text.curveNames[name]}</figcaption>
      <${Lines} names=${runs.map((run) => run.path)} columns=${joined(runs, name)} along=${text.images} /></figure>`)}</div>
    ${!names.length && html`<p class="quiet">${text.noCurves}</p>`}`;
}

// A curve of each run over the same axis of images.
function joined(runs, name) {
  const points = runs.map((run) => {
    const known = run.columns.images.map((x, n) => [x, run.columns[name][n]]).filter(([, y]) => y !== null);
    const unique = [...new Map(known)].sort(([a], [b]) => a - b);
    return [unique.map(([x]) => x), unique.map(([, y]) => y)];
  });
  return uPlot.join(points);
}

function Sheets({ runs }) {
  const times = [...new Set(runs.flatMap((run) => run.samples.map(images)))].sort((a, b) => a - b);
  const [chosen, setChosen] = useState(times.length - 1);
  if (!times.length) return html`<p class="quiet">${text.noSamples}</p>`;
  const now = times[chosen];
  return html`<div class="columns">${runs.map((run) => {
    const file = run.samples.findLast((one) => images(one) <= now);
    return html`<section><h2><a href=${`#/runs/${run.id}`}>${run.path}</a> <${State} state=${run.state} /></h2>
      <p class="quiet">${run.model} · ${run.size}${file ? ` · ${text.samplesAfter(count(images(file)))}` : ""}</p>
      ${file ? html`<img class="grid" src=${`/api/runs/${run.id}/samples/${file}`} alt=${text.samplesAfter(count(images(file)))} />` : html`<p class="quiet">${text.noSamples}</p>`}</section>`;
  })}</div>
  <div class="slider"><label>${text.time} <input type="range" min="0" max=${times.length - 1} value=${chosen} onInput=${(e) => setChosen(Number(e.target.value))} /></label><output>${text.samplesAfter(count(now))}</output></div>`;
}

// The settings in which the runs differ.
function Differences({ runs }) {
  const flat = runs.map((run) => {
    const sections = Object.entries(run.settings).filter(([, values]) => values !== null && typeof values === "object");
    const plain = { source: run.settings.source, model: run.settings.model };
    return { ...plain, ...Object.fromEntries(sections.flatMap(([section, values]) => Object.entries(values).map(([name, value]) => [`${section}.${name}`, value]))) };
  });
  const names = [...new Set(flat.flatMap(Object.keys))].filter((name) => JSON.stringify(flat[0][name]) !== JSON.stringify(flat[1][name]));
  if (!names.length) return html`<p class="quiet">${text.sameSettings}</p>`;
  return html`<div class="wide" tabindex="0"><table><caption>${text.differences}</caption>
    <thead><tr><th scope="col">${text.setting}</th>${runs.map((run) => html`<th scope="col">${run.path}</th>`)}</tr></thead>
    <tbody>${names.map((name) => html`<tr><th scope="row">${name}</th>${flat.map((one) => html`<td>${one[name] === null || one[name] === undefined ? "–" : String(one[name])}</td>`)}</tr>`)}</tbody></table></div>`;
}
