// The game on points: play it, step it, cause its problems and cure them.
import { html, useCallback, useEffect, useRef, useState } from "../view.mjs";
import { CLUSTERS, DISTRIBUTIONS, found } from "./data.mjs";
import { draw, EDGE } from "./draw.mjs";
import { Game, PROBLEMS, SEED, SUITABLE } from "./game.mjs";
import { NumberField } from "../fields.mjs";
import { Lines } from "../lines.mjs";

const BUSY = 12; // milliseconds of a frame for training
const SLOW = 900; // milliseconds from one step to the next in slow motion
const TOLD = 200; // milliseconds from one reading to the next
const SIDE = 560; // pixels of the canvas
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const ELEMENTS = ["latents", "generator", "real", "fake", "discriminator", "colours", "steps", "lossD", "lossG"];

export function Points({ t }) {
  const [distribution, setDistribution] = useState("ring");
  const [settings, setSettings] = useState(SUITABLE);
  const [playing, setPlaying] = useState(false);
  const [slow, setSlow] = useState(false);
  const [problem, setProblem] = useState(null);
  const [said, setSaid] = useState("");
  const [read, setRead] = useState(null);
  const [cursor, setCursor] = useState(null);
  const canvas = useRef(null);
  const game = useRef(null);
  const drawn = useRef([]);
  const now = useRef({});
  now.current = { settings, cursor };
  game.current ??= new Game(distribution);

  const show = useCallback(() => {
    if (!canvas.current) return; // the page has been left
    const { steps, rested, losses } = game.current;
    setRead({
      steps,
      rested,
      clusters: found(game.current.distribution, game.current.samples()),
      columns: [losses.d.map((_, n) => n - losses.d.length + 1), [...losses.d], [...losses.g]],
    });
    draw(canvas.current, game.current, now.current.cursor);
  }, []);

  function restart(of = distribution) {
    game.current = new Game(of, SEED, drawn.current);
    setSaid("");
    show();
  }

  useEffect(show, [cursor]);
  useEffect(() => {
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", show);
    return () => scheme.removeEventListener("change", show);
  }, []);
  useEffect(() => (playing ? play(slow, game, now, canvas, show, (which) => setSaid(t.did[which])) : undefined), [playing, slow, t]);

  function choose(name) {
    setDistribution(name);
    restart(name);
    setCursor(name === "drawn" ? [0, 0] : null);
  }

  function set(change) {
    setSettings({ ...settings, ...change });
    setProblem(null);
  }

  function begin(name, cured) {
    setSettings(PROBLEMS[name][cured ? "cure" : "cause"]);
    setProblem({ name, cured });
    setSlow(false);
    restart();
    setPlaying(true);
  }

  function one(which) {
    setPlaying(false);
    setSaid(t.did[half(game.current, which, settings)]);
    show();
  }

  function add(x, y) {
    drawn.current.push([x, y]);
    game.current.see();
    show();
  }

  function pointed(event) {
    if (distribution !== "drawn" || (event.type === "pointermove" && !event.buttons)) return;
    event.preventDefault();
    const box = canvas.current.getBoundingClientRect();
    add(EDGE * ((2 * (event.clientX - box.left)) / box.width - 1), EDGE * (1 - (2 * (event.clientY - box.top)) / box.height));
  }

  function pressed(event) {
    if (!cursor) return;
    const move = MOVES[event.key];
    if (move) setCursor(cursor.map((at, n) => Math.max(-EDGE, Math.min(EDGE, at + move[n] * 0.1))));
    else if (event.key === " " || event.key === "Enter") add(...cursor);
    else return;
    event.preventDefault();
  }

  const all = CLUSTERS[distribution]?.length;
  return html`<p>${t.pointsIntro}</p>
    <div class="game">
      <section>
        <canvas ref=${canvas} class=${`plane ${distribution === "drawn" ? "drawing" : ""}`} width=${SIDE} height=${SIDE} tabindex=${cursor ? 0 : -1} role=${cursor ? "application" : "img"} aria-label=${t.plane}
          onPointerDown=${pointed} onPointerMove=${pointed} onKeyDown=${pressed}></canvas>
        <ul class="legend"><li><span class="mark" aria-hidden="true">+</span> ${t.legend.real}</li><li><span class="dot"></span> ${t.legend.fake}</li><li><span class="patch blue"></span> ${t.legend.blue}</li><li><span class="patch orange"></span> ${t.legend.orange}</li></ul>
        <p><output aria-live=${playing ? "off" : "polite"}>${read && t.reading(read.steps, read.rested)}${read && all && read.clusters !== null ? ` · ${t.clusters(read.clusters, all)}` : ""}</output></p>
        <p class="quiet" role="status">${said}${cursor ? ` ${cursor.map((at) => at.toFixed(1)).join(", ")}` : ""}</p>
      </section>
      <section class="controls">
        <div class="buttons">
          <button class="button" type="button" onClick=${() => setPlaying(!playing)}>${playing ? t.pause : t.play}</button>
          <button type="button" onClick=${() => one("d")}>${t.stepD}</button>
          <button type="button" onClick=${() => one("g")}>${t.stepG}</button>
          <button type="button" onClick=${() => restart()}>${t.again}</button>
          <label><input type="checkbox" checked=${slow} onChange=${(e) => setSlow(e.target.checked)} /> ${t.slow}</label>
        </div>
        <label>${t.distribution} <select value=${distribution} onChange=${(e) => choose(e.target.value)}>${DISTRIBUTIONS.map((name) => html`<option value=${name}>${t.distributions[name]}</option>`)}</select></label>
        ${distribution === "drawn" && html`<p class="quiet">${t.drawHow} <button type="button" onClick=${() => { drawn.current = []; restart(); }}>${t.clear}</button></p>`}
        <${Rate} name=${t.lrG} value=${settings.lrG} set=${(lrG) => set({ lrG })} />
        <${Rate} name=${t.lrD} value=${settings.lrD} set=${(lrD) => set({ lrD })} />
        <label>${t.stepsD} <${NumberField} low=${1} high=${10} step=${1} value=${settings.stepsD} set=${(stepsD) => set({ stepsD: Math.round(stepsD) })} /></label>
        <label>${t.restBelow} <${NumberField} low=${0} high=${0.69} step=${0.05} value=${settings.restBelow} set=${(restBelow) => set({ restBelow })} /></label>
        <h2>${t.problemsTitle}</h2>
        ${Object.keys(PROBLEMS).map((name) => html`<div class="buttons"><button type="button" aria-pressed=${problem?.name === name && !problem.cured} onClick=${() => begin(name, false)}>${t.problems[name].cause}</button>
          <button type="button" aria-pressed=${problem?.name === name && problem.cured} onClick=${() => begin(name, true)}>${t.problems[name].cure}</button></div>`)}
        ${problem && html`<p role="status">${t.problems[problem.name][problem.cured ? "cured" : "seen"]}</p>`}
      </section>
    </div>
    <figure class="panel"><figcaption>${t.losses}</figcaption>${read && html`<${Lines} names=${[t.lossD, t.lossG]} columns=${read.columns} along=${t.lastSteps} scale="zero" />`}</figure>
    <h2>${t.elementsTitle}</h2>
    <dl class="elements">${ELEMENTS.map((name) => html`<div><dt>${t.elements[name][0]}</dt><dd>${t.elements[name][1]}</dd></div>`)}</dl>`;
}

function Rate({ name, value, set }) {
  return html`<label class="rate"><span>${name}</span> <input type="range" min="-5" max="-0.5" step="0.1" value=${Math.log10(value)} aria-valuetext=${`${+value.toPrecision(2)}`} onInput=${(e) => set(+(10 ** +e.target.value).toPrecision(2))} /> <output>${+value.toPrecision(2)}</output></label>`;
}

// Half of a step; what has happened: d, g, or skipped.
function half(game, which, settings) {
  const before = game.rested;
  if (which === "d") game.stepDiscriminator(settings);
  else game.stepGenerator(settings);
  return game.rested > before ? "skipped" : which;
}

// Train, frame by frame; returns how to stop.
function play(slow, game, now, canvas, show, tell) {
  let frame;
  let timer;
  let told = 0;
  let made = 0; // steps of the discriminator since the last one of the generator

  function fast(time) {
    const until = performance.now() + BUSY;
    do game.current.step(now.current.settings);
    while (performance.now() < until);
    if (time - told > TOLD) {
      told = time;
      show();
    } else draw(canvas.current, game.current, now.current.cursor);
    frame = requestAnimationFrame(fast);
  }

  function one() {
    const { settings } = now.current;
    const which = made < settings.stepsD ? "d" : "g";
    made = which === "d" ? made + 1 : 0;
    tell(half(game.current, which, settings));
    show();
    timer = setTimeout(one, SLOW);
  }

  if (slow) one();
  else frame = requestAnimationFrame(fast);
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
