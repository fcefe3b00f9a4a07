// A plane of latents: the image follows the point.
import { html, useEffect, useRef, useState } from "../view.mjs";
import { hangUp, postForBlob, read } from "../api.mjs";
import { download } from "../download.mjs";
import { paint } from "../pixels.mjs";
import { settingsIn } from "../png.mjs";
import { text } from "../text/text.mjs";

const CELL = 64; // pixels of the pad from one seed to the next
const FAR = 499;
const AGAIN = 2000; // milliseconds from one try to reach the studio to the next
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const START = { x: 0, y: 0, truncation: 1, label: null, mixed: null, layers: [] };
const WIDE = 1000; // seeds from one row to the next

const clamped = (n) => Math.max(-FAR, Math.min(FAR, n));
const folded = (n) => (n >= 0 ? 2 * n : -2 * n - 1);
export const seedAt = (x, y) => folded(y) * WIDE + folded(x);

// The seeds around a point.
function seedsAround({ x, y }) {
  const columns = Number.isInteger(x) ? [x] : [Math.floor(x), Math.floor(x) + 1];
  const rows = Number.isInteger(y) ? [y] : [Math.floor(y), Math.floor(y) + 1];
  return rows.flatMap((row) => columns.map((column) => seedAt(column, row)));
}

export function Explore({ id, onFault }) {
  const [sources, setSources] = useState(null);
  const source = id ?? "emoji";

  useEffect(() => {
    read("explore").then(setSources, onFault);
  }, []);

  if (sources === null) return html`<p class="quiet" role="status">${text.loading}</p>`;
  return html`<h1>${text.explore}</h1>
    <p><label>${text.generator} <select value=${source} onChange=${(e) => { location.hash = `#/explore/${e.target.value}`; }}>
      ${sources.map((one) => html`<option value=${one.id} selected=${one.id === source}>${one.name}</option>`)}</select></label></p>
    <${Plane} key=${source} source=${source} sources=${sources} onFault=${onFault} />`;
}

// The point of an image that was opened, while the page changes to the generator that made it.
let opening = null;
function taken(source) {
  const found = opening?.source === source ? opening.point : START;
  opening = null;
  return found;
}

function Plane({ source, sources, onFault }) {
  const [about, setAbout] = useState(null);
  const [point, setPoint] = useState(() => taken(source));
  const [rate, setRate] = useState(0);
  const [fault, setFault] = useState("");
  const [keys, setKeys] = useState([]);
  const [film, setFilm] = useState(null);
  const [busy, setBusy] = useState(false);
  const canvas = useRef(null);
  const ask = useRef(() => {});

  useEffect(() => {
    read(`explore/${source}`).then(setAbout, onFault);
    return images(source, canvas, ask, setRate, setFault);
  }, [source]);
  useEffect(() => {
    if (about) ask.current(point);
  }, [about, point]);

  const move = (change) => setPoint((known) => ({ ...known, ...change(known) }));
  const by = (dx, dy) => move(({ x, y }) => ({ x: clamped(x + dx), y: clamped(y + dy) }));

  function pressed(event) {
    const direction = KEYS[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = event.shiftKey ? 1 : 1 / 8;
    by(direction[0] * step, direction[1] * step);
  }

  async function keep() {
    const blob = await postForBlob(`explore/${source}/image`, point).catch((found) => setFault(found.message));
    if (blob) download(blob, `${nameOf(sources, source)}-${seedsAround(point).join("-")}.png`);
  }

  async function opened(event) {
    const [file] = event.target.files;
    const found = file && settingsIn(await file.arrayBuffer());
    if (!found) return setFault(text.notKept);
    const { source: other, ...settings } = found;
    if (!sources.some((one) => one.id === other)) return setFault(text.otherGenerator);
    setFault("");
    if (other === source) return setPoint({ ...START, ...settings });
    opening = { source: other, point: { ...START, ...settings } };
    location.hash = `#/explore/${other}`;
    return undefined;
  }

  async function shoot() {
    setBusy(true);
    const blob = await postForBlob(`explore/${source}/film`, keys).catch((found) => setFault(found.message));
    if (blob) {
      if (film) URL.revokeObjectURL(film);
      setFilm(URL.createObjectURL(blob));
    }
    setBusy(false);
  }

  if (about === null) return html`<p class="quiet" role="status">${text.loading}</p><canvas ref=${canvas} hidden></canvas>`;
  const seeds = seedsAround(point);
  const where = seeds.length === 1 ? text.atSeed(seeds[0]) : text.betweenSeeds(seeds.join(", "));
  return html`<div class="explore">
    <section>
      <canvas class="image" ref=${canvas} width=${about.width} height=${about.height} role="img" aria-label=${where}></canvas>
      <p><output>${where}</output> <span class="quiet">${rate > 0 && text.perSecond(rate)}</span></p>
      ${fault && html`<p class="banner" role="alert">${fault}</p>`}
    </section>
    <section>
      <${Pad} point=${point} by=${by} onKey=${pressed} />
      <p class="quiet">${text.planeHow}</p>
    </section>
    <section class="controls">
      <div class="buttons">
        <button type="button" onClick=${() => move(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) }))}>${text.snap}</button>
        <button type="button" onClick=${() => move(() => ({ x: anywhere(), y: anywhere() }))}>${text.elsewhere}</button>
      </div>
      ${about.classes.length > 0 && html`<label>${text.klass} <select value=${point.label ?? ""} onChange=${(e) => move(() => ({ label: e.target.value || null }))}>
        <option value="">${text.anyClass}</option>${about.classes.map((name) => html`<option>${name}</option>`)}</select></label>`}
      ${about.layers > 0 && html`<${Styles} about=${about} point=${point} move=${move} />`}
      <div class="buttons">
        <button type="button" onClick=${keep}>${text.keep}</button>
        <button type="button" onClick=${() => setKeys([...keys, point])}>${text.keyframe}</button>
        ${keys.length > 1 && html`<button type="button" disabled=${busy} onClick=${shoot}>${busy ? text.filming : text.film(keys.length)}</button>`}
        ${keys.length > 0 && html`<button type="button" onClick=${() => { setKeys([]); setFilm(null); }}>${text.clear}</button>`}
      </div>
      <label>${text.openKept} <input type="file" accept="image/png" onChange=${opened} /></label>
      ${film && html`<a href=${film} download=${`${nameOf(sources, source)}.gif`}><img class="film" src=${film} alt=${text.film(keys.length)} /></a>`}
    </section>
  </div>`;
}

function Pad({ point, by, onKey }) {
  const last = useRef(null);
  const down = (event) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    last.current = [event.clientX, event.clientY];
  };
  const moved = (event) => {
    if (!last.current) return;
    by((last.current[0] - event.clientX) / CELL, (last.current[1] - event.clientY) / CELL);
    last.current = [event.clientX, event.clientY];
  };
  const up = () => {
    last.current = null;
  };
  const shift = (n) => `calc(50% - ${n * CELL}px)`; // at 50 % the middle of a cell, its dot, is in the middle
  return html`<div class="pad" tabindex="0" role="application" aria-label=${text.plane}
    style=${{ backgroundSize: `${CELL}px ${CELL}px`, backgroundPosition: `${shift(point.x)} ${shift(point.y)}` }}
    onKeyDown=${onKey} onPointerDown=${down} onPointerMove=${moved} onPointerUp=${up} onPointerCancel=${up}><div class="here"></div></div>`;
}

function Styles({ about, point, move }) {
  const layers = [...Array(about.layers).keys()];
  const toggled = (layer, on) => (known) => ({ layers: on ? [...known.layers, layer].sort((a, b) => a - b) : known.layers.filter((one) => one !== layer) });
  return html`
    <label>${text.truncation} <input type="range" min="0" max="1.5" step="0.05" value=${point.truncation} onInput=${(e) => move(() => ({ truncation: Number(e.target.value) }))} /> <output>${point.truncation}</output></label>
    <span class="quiet">${text.truncationHow}</span>
    <label>${text.mixing}: ${text.otherSeed} <input type="number" min="0" max="2000000000" value=${point.mixed ?? ""} onInput=${(e) => move(() => ({ mixed: e.target.value === "" ? null : Math.max(0, Math.min(2e9, Math.floor(Number(e.target.value)))) }))} /></label>
    ${point.layers.length > 0 && point.mixed === null && html`<span class="quiet" role="status">${text.mixingNeeds}</span>`}
    <fieldset><legend class="quiet">${text.mixingHow}</legend>
      ${layers.map((layer) => html`<label><input type="checkbox" checked=${point.layers.includes(layer)} onChange=${(e) => move(toggled(layer, e.target.checked))} /> ${text.layer(layer)}</label>`)}</fieldset>`;
}

// Draw the images that come for the points that `ask` sends. One point is on its way at a time; of
// those that wait, the last one counts. Returns how to stop.
function images(source, canvas, ask, setRate, setFault) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  let socket;
  let timer;
  let quiet;
  let waiting = null; // a point that is to be sent
  let under = null; // the one that is on its way
  let shown = [];

  function send(point) {
    waiting = point;
    if (under || socket.readyState !== WebSocket.OPEN) return;
    under = point;
    socket.send(JSON.stringify(point));
    waiting = null;
  }

  function came({ data }) {
    under = null;
    if (typeof data === "string") {
      setFault(JSON.parse(data).sentence);
    } else {
      setFault("");
      paint(canvas.current, data);
      const now = performance.now();
      shown = [...shown.filter((then) => now - then < 1000), now];
      setRate(shown.length);
      clearTimeout(quiet);
      quiet = setTimeout(() => setRate(0), 1500);
    }
    if (waiting) send(waiting);
  }

  function connect() {
    socket = new WebSocket(`${scheme}://${location.host}/api/explore/${source}/live`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = came;
    socket.onopen = () => {
      setFault("");
      if (waiting) send(waiting);
    };
    socket.onclose = () => {
      waiting ??= under; // what was not answered is asked again
      under = null;
      setFault(text.exploreAway);
      timer = setTimeout(connect, AGAIN);
    };
  }

  connect();
  ask.current = send;
  return () => {
    clearTimeout(timer);
    clearTimeout(quiet);
    hangUp(socket);
  };
}

const nameOf = (sources, source) => (sources.find((one) => one.id === source)?.name ?? source).split("/").at(-1);
const anywhere = () => Math.floor(Math.random() * 2 * FAR) - FAR;
