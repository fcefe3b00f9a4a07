// Style transfer: a photograph, paintings, a few settings; the image appears as it is painted.
import { html, useEffect, useState } from "../view.mjs";
import { post, put, read, remove } from "../api.mjs";
import { NumberField } from "../fields.mjs";
import { text } from "../text/text.mjs";

const EVERY = 1000; // milliseconds from one look at a transfer to the next
const START = { preset: "default", strength: 0.5, size: 512, colours: "style", style_scale: 1, seed: 0 };

export function Style({ id, onFault }) {
  const [photograph, setPhotograph] = useState(null);
  const [paintings, setPaintings] = useState([]);
  const [options, setOptions] = useState(START);
  const [presets, setPresets] = useState([]);
  const [history, setHistory] = useState([]);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);

  const look = () => read("styles").then(setHistory, onFault);
  useEffect(() => {
    read("styles/presets").then(setPresets, onFault);
    look();
  }, [id]);

  async function begin(source) {
    setFault("");
    setBusy(true);
    try {
      const made = await post("styles", { ...(await source()), options });
      location.hash = `#/style/${made.id}`;
    } catch (found) {
      setFault(found.message);
    }
    setBusy(false);
  }

  async function uploaded() {
    const upload = await post("uploads", {});
    for (const [number, file] of [photograph, ...paintings].entries()) {
      await put(`uploads/${upload.id}/${number}?title=${encodeURIComponent(file.name)}`, file);
    }
    return { upload: upload.id };
  }

  return html`<h1>${text.styleTitle}</h1>
    ${id && html`<${Transfer} key=${id} id=${id} onFault=${onFault} onEnd=${look} onOptions=${setOptions} onAgain=${() => begin(async () => ({ again: id }))} />`}
    <form onSubmit=${(event) => { event.preventDefault(); begin(uploaded); }}>
      <div class="fields">
        <div class="field"><label for="photograph">${text.photograph}</label><input id="photograph" type="file" accept="image/*" onChange=${(e) => setPhotograph(e.target.files[0] ?? null)} /><${Picked} files=${photograph ? [photograph] : []} /></div>
        <div class="field"><label for="paintings">${text.paintings}</label><input id="paintings" type="file" accept="image/*" multiple onChange=${(e) => setPaintings([...e.target.files])} /><${Picked} files=${paintings} /></div>
      </div>
      <${Options} options=${options} presets=${presets} onChange=${(change) => setOptions((known) => ({ ...known, ...change }))} />
      ${fault && html`<p class="banner" role="alert">${text.transferFailed} ${fault}</p>`}
      <p><button class="button" disabled=${!photograph || !paintings.length || busy}>${busy ? text.starting : text.repaint}</button> ${!(photograph && paintings.length) && html`<span class="quiet">${text.picturesFirst}</span>`}</p>
    </form>
    ${history.length > 0 && html`<h2>${text.earlier}</h2><ul class="thumbs">${history.map((one) => html`<${Earlier} key=${one.id} one=${one} onGone=${() => { if (one.id === id) location.hash = "#/style"; look(); }} onFault=${onFault} />`)}</ul>`}`;
}

function Picked({ files }) {
  const [shown, setShown] = useState([]);
  useEffect(() => {
    const urls = files.map((file) => URL.createObjectURL(file));
    setShown(urls);
    return () => urls.forEach((url) => URL.revokeObjectURL(url));
  }, [files.map((file) => `${file.name}${file.size}`).join()]);
  return html`<span>${shown.map((url, n) => html`<img class="picked" src=${url} alt=${files[n]?.name ?? ""} />`)}</span>`;
}

function Options({ options, presets, onChange }) {
  const number = (name) => (event) => event.target.value !== "" && onChange({ [name]: Number(event.target.value) });
  return html`<div class="fields">
    <div class="field"><label for="preset">${text.preset}</label><select id="preset" value=${options.preset} onChange=${(e) => onChange({ preset: e.target.value })}>${presets.map((one) => html`<option value=${one.name}>${one.name}: ${one.summary}</option>`)}</select></div>
    <div class="field"><label for="strength">${text.strength}</label><input id="strength" type="range" min="0" max="1" step="0.05" value=${options.strength} onInput=${number("strength")} aria-describedby="strength-help" /><span class="quiet" id="strength-help">${options.strength}. ${text.strengthHow}</span></div>
    <div class="field"><label for="longer">${text.longerSide}</label><${NumberField} id="longer" low=${64} high=${4096} step=${1} value=${options.size} set=${(size) => onChange({ size })} /></div>
    <div class="field"><label for="colours">${text.colours}</label><select id="colours" value=${options.colours} onChange=${(e) => onChange({ colours: e.target.value })}>${Object.entries(text.coloursOf).map(([name, words]) => html`<option value=${name}>${words}</option>`)}</select></div>
    <div class="field"><label for="brush">${text.brush}</label><${NumberField} id="brush" low=${0.25} high=${8} step=${0.25} value=${options.style_scale} set=${(style_scale) => onChange({ style_scale })} /></div>
  </div>`;
}

function Transfer({ id, onFault, onEnd, onOptions, onAgain }) {
  const [one, setOne] = useState(null);
  const [share, setShare] = useState(50);

  useEffect(() => {
    let over = false;
    let timer;
    async function look() {
      try {
        const found = await read(`styles/${id}`);
        if (over) return;
        setOne((known) => {
          if (known === null) onOptions((before) => ({ ...before, ...found.options })); // Again begins with its own
          return found;
        });
        onFault(null);
        if (found.state === "running") timer = setTimeout(look, EVERY);
        else onEnd();
      } catch (fault) {
        onFault(fault);
        if (fault.status === 0) timer = setTimeout(look, EVERY);
      }
    }
    look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id]);

  if (one === null) return html`<p class="quiet" role="status">${text.loading}</p>`;
  const at = (file) => `/api/styles/${id}/images/${file}`;
  const painted = one.result ? "painted.png" : one.frame;
  return html`<section>
    <p><span class=${`state ${{ failed: "dead", cancelled: "stopped" }[one.state] ?? one.state}`}>${text.styleStates[one.state]}</span> ${one.forecast && html`<span class="quiet">${one.forecast}</span>`} <span class="quiet">${["running", "failed"].includes(one.state) && one.said !== one.forecast && one.said.split(/\s{2,}/).join(" · ")}</span></p>
    ${painted && html`<div class="compare"><img src=${at(painted)} alt=${text.styleTitle} />${one.result && html`<img class="over" src=${at(one.images[0])} alt="" style=${{ clipPath: `inset(0 ${100 - share}% 0 0)` }} />`}</div>`}
    ${one.result && html`<label>${text.beforeAfter} <input type="range" min="0" max="100" value=${share} onInput=${(e) => setShare(Number(e.target.value))} /></label>`}
    <div class="buttons">
      ${one.state === "running" && html`<button type="button" onClick=${() => post(`styles/${id}/cancel`, {}).catch(onFault)}>${text.cancelKeep}</button>`}
      ${one.result && html`<a class="button" href=${at("painted.png")} download="painted.png">${text.download}</a>`}
      ${one.film && html`<a href=${at("painted.gif")} download="painted.gif">${text.filmOfIt}</a>`}
      ${one.state !== "running" && html`<button type="button" onClick=${onAgain}>${text.again}</button>`}
    </div>
  </section>`;
}

function Earlier({ one, onGone, onFault }) {
  const file = one.result ? "painted.png" : (one.frame ?? one.images[0]);
  const { preset, strength, size } = one.options;
  const gone = () => confirm(text.removeImage) && remove(`styles/${one.id}`).then(onGone, onFault);
  return html`<li>
    <a href=${`#/style/${one.id}`}><img loading="lazy" src=${`/api/styles/${one.id}/images/${file}`} alt=${`${text.styleStates[one.state]}: ${preset}, ${strength}, ${size}`} /></a>
    <span class="quiet">${preset}, ${strength}, ${size} px</span>
    ${one.state !== "running" && html`<button type="button" onClick=${gone}>${text.remove}</button>`}
  </li>`;
}
