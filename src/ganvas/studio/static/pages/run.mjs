// One run: watched while it trains, steered, and looked back on.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../view.mjs";
import { ended, follow, post, postForBlob, read, remove } from "../api.mjs";
import { download } from "../download.mjs";
import { empty, extended, grouped, isEnd } from "../log.mjs";
import { Panel, panelsOf } from "../plot.mjs";
import { numberIn } from "../fields.mjs";
import { bytes, count, duration, short, text } from "../text/text.mjs";
import { State, progress } from "./runs.mjs";

const LIVE = ["lr_g", "lr_d", "d_steps", "skip_d_below", "label_smoothing", "instance_noise", "r1", "r2", "gp", "path_length", "augment_share"];
const SHOWN = 300; // events
const TRAINS = ["running", "paused"];
const isSignal = (status) => status < 0 || status > 128; // how a process ended
const IN_WORDS = ["diagnosis", "treatment", "follow-up", "given up", "command", "notice", "dropped", "done"];

export function Run({ id, onFault, say }) {
  const [run, setRun] = useState(null);
  const [log, setLog] = useState(empty());
  const [status, setStatus] = useState({});
  const [samples, setSamples] = useState([]);
  const [zoom, setZoom] = useState(null);

  useEffect(() => {
    let stop = () => {};
    let over = false;

    async function load() {
      const [found, curves] = await Promise.all([read(`runs/${id}`), read(`runs/${id}/curves`)]);
      if (over) return;
      setRun(found);
      setStatus(found.status);
      setSamples(found.samples);
      setLog({ columns: { images: [], ...curves.columns }, events: curves.events });
      const see = (news) => {
        setStatus(news.status);
        setSamples((known) => [...known, ...news.samples.filter((file) => !known.includes(file))]);
        if (news.again) setLog(extended(empty(), news.lines));
        else if (news.lines.length) setLog((known) => extended(known, news.lines));
      };
      const lost = (away) => onFault(away ? { status: 0 } : null);
      const gone = () => onFault({ status: 404, message: text.runGone });
      stop = follow(id, { see, lost, gone }, curves.position);
    }

    load().catch((fault) => {
      setRun(undefined);
      onFault(fault);
    });
    return () => {
      over = true;
      stop();
    };
  }, [id]);

  // What a run tells once, and anew with every checkpoint: where its settings come from, pictures.
  const step = status.checkpoint?.step;
  useEffect(() => {
    if (run) read(`runs/${id}`).then(setRun, () => {});
  }, [step]);

  const steer = useCallback(
    async (command, words) => {
      try {
        const answer = await post(`runs/${id}/commands`, command);
        say(answer.refused ? text.refused(count(answer.step), answer.refused) : text.applied(count(answer.step), words));
      } catch (fault) {
        say(fault.message);
      }
    },
    [id],
  );

  if (!run) return html`<nav><a href="#/runs">← ${text.back}</a></nav>${run === null && html`<p class="quiet" role="status">${text.loading}</p>`}`;
  const trains = TRAINS.includes(status.state);
  const saved = status.checkpoint;
  const events = log.events.filter((event) => IN_WORDS.includes(event.event) && !isEnd(event));
  return html`
    <nav><a href="#/runs">← ${text.back}</a></nav>
    <header class="run">
      <h1>${run.path}</h1>
      <${State} state=${status.state ?? run.state} />
      <span class="quiet">${run.model} · ${run.size} · ${bytes(run.disk)} ${text.disk}</span>
    </header>
    <${Progress} run=${run} status=${status} trains=${trains} />
    ${text.stateHelp[status.state] && html`<p class="quiet">${text.stateHelp[status.state]}</p>`}
    ${trains ? html`<${Steering} steer=${steer} say=${say} paused=${status.state === "paused"} settings=${liveNow(run, saved?.step ?? -1, events)} />` : html`<${Ended} run=${run} state=${status.state} say=${say} />`}
    <div class="columns">
      <${Samples} id=${id} files=${samples} />
      ${run.pictures.includes("real") && html`<section><h2>${text.real}</h2><img class="grid" src=${`/api/runs/${id}/pictures/real`} alt=${text.real} /></section>`}
      <section><h2>${text.history}</h2><${History} events=${events} /></section>
      <${Further} run=${run} saved=${saved} say=${say} />
    </div>
    <${Curves} log=${log} zoom=${zoom} onZoom=${setZoom} />
    <details><summary>${text.settings}</summary><${Settings} settings=${run.settings} origins=${run.origins} /></details>`;
}

function Progress({ run, status, trains }) {
  const { share, words } = progress(status.state ?? run.state, status.images ?? run.images, status.goal ?? run.goal);
  const saved = status.checkpoint;
  const facts = [
    words,
    status.step !== undefined && text.step(count(status.step)),
    status.state === "running" && status.speed > 0 && text.speed(short(status.speed)),
    status.state === "running" && Number.isFinite(status.left) && text.left(duration(status.left)),
    saved ? text.verified(count(saved.step), duration(Math.max(0, Date.now() / 1000 - saved.saved))) : trains && text.noCheckpoint,
  ].filter(Boolean);
  return html`<div class="facts">
    <progress max="1" value=${share} aria-label=${words}></progress>
    <p>${facts.join(" · ")}</p>
  </div>`;
}

function Steering({ steer, say, paused, settings }) {
  const [label, setLabel] = useState("");
  const names = LIVE.filter((name) => name in settings);
  const [setting, setSetting] = useState(names[0] ?? "lr_g");
  const [value, setValue] = useState("");

  function apply(event) {
    event.preventDefault();
    const number = numberIn(value);
    if (!Number.isFinite(number)) return say(text.noNumber(value));
    steer({ command: "set", setting, value: number }, `${setting} ${number}`);
    return setValue("");
  }

  function mark(event) {
    event.preventDefault();
    if (label.trim()) steer({ command: "label", text: label.trim() }, label.trim());
    setLabel("");
  }

  const button = (command, words) => html`<button type="button" onClick=${() => steer({ command }, words)}>${words}</button>`;
  return html`<section class="steering">
    <div class="buttons">
      ${paused ? button("resume", text.resume) : button("pause", text.pause)}
      ${button("save", text.save)}
      <button type="button" class="danger" onClick=${() => confirm(text.stopSure) && steer({ command: "stop" }, text.stop)}>${text.stop}</button>
    </div>
    <form onSubmit=${apply} aria-label=${text.change}>
      <label>${text.setting} <select value=${setting} onChange=${(e) => setSetting(e.target.value)}>${names.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
      <label>${text.value} <input inputmode="decimal" size="8" value=${value} placeholder=${settings[setting]} onInput=${(e) => setValue(e.target.value)} /></label>
      <button>${text.apply}</button>
    </form>
    <form onSubmit=${mark} aria-label=${text.labelHow}>
      <label>${text.labelHow} <input maxlength="200" value=${label} onInput=${(e) => setLabel(e.target.value)} /></label>
      <button>${text.mark}</button>
    </form>
  </section>`;
}

function Ended({ run, state, say }) {
  const longer = useLonger();
  async function throwAway() {
    if (!confirm(text.removeSure(run.path))) return;
    try {
      const { trash } = await remove(`runs/${run.id}`);
      say(text.removed(trash));
      location.hash = "#/runs";
    } catch (fault) {
      say(fault.message);
    }
  }
  if (state === "preparing") return null;
  async function goOn(event) {
    event.preventDefault();
    try {
      const { job } = await post(`runs/${run.id}/resume`, longer.asked());
      say(text.starting);
      const { good, said } = await ended(job, run.id);
      if (!good) say(said.split("\n").at(-1));
    } catch (fault) {
      say(fault.message);
    }
  }
  return html`<section class="steering">
    <form class="buttons" onSubmit=${goOn} aria-label=${state === "finished" ? text.trainLonger : text.resumeRun}>
      <${LongerFields} longer=${longer} required=${state === "finished"} />
      <button>${state === "finished" ? text.trainLonger : text.resumeRun}</button>
    </form>
    <div class="buttons"><button type="button" class="danger" onClick=${throwAway}>${text.remove}</button></div>
  </section>`;
}

// For how much more time a run goes on, and with which learning rates.
function useLonger() {
  const [fields, setFields] = useState({ time: "", lr_g: "", lr_d: "" });
  const asked = () => {
    const rates = ["lr_g", "lr_d"].filter((name) => fields[name].trim());
    for (const name of rates) if (!(numberIn(fields[name]) > 0)) throw new Error(text.noNumber(fields[name]));
    return { time: fields.time, ...Object.fromEntries(rates.map((name) => [name, numberIn(fields[name])])) };
  };
  return { fields, set: (name) => (event) => setFields((known) => ({ ...known, [name]: event.target.value })), asked };
}

function LongerFields({ longer, required }) {
  const { fields, set } = longer;
  return html`<label>${text.moreTime} <input size="6" required=${required} placeholder=${required ? "10m" : text.asPlanned} value=${fields.time} onInput=${set("time")} /></label>
    ${["lr_g", "lr_d"].map((name) => html`<label>${name} <input size="6" inputmode="decimal" placeholder=${text.asItIs} value=${fields[name]} onInput=${set(name)} /></label>`)}`;
}

// Settings that change while a run trains: as the last checkpoint has them, and commands since.
function liveNow(run, saved, events) {
  const since = events.filter((event) => event.command === "set" && !event.refused && event.step >= saved);
  return { ...run.settings.game, ...run.live, ...Object.fromEntries(since.map((event) => [event.setting, event.value])) };
}

function Samples({ id, files }) {
  const [chosen, setChosen] = useState(null);
  const last = files.length - 1;
  const at = chosen === null || chosen > last ? last : chosen;
  if (last < 0) return html`<section><h2>${text.samples}</h2><p class="quiet">${text.noSamples}</p></section>`;
  const after = text.samplesAfter(count(Number(files[at].slice(0, -4))));
  return html`<section>
    <h2>${text.samples}</h2>
    <img class="grid" src=${`/api/runs/${id}/samples/${files[at]}`} alt=${`${text.samples}, ${after}`} />
    <div class="slider">
      <label>${text.time} <input type="range" min="0" max=${last} value=${at} onInput=${(e) => setChosen(Number(e.target.value) === last ? null : Number(e.target.value))} /></label>
      <output>${after}</output>
    </div>
  </section>`;
}

function History({ events }) {
  if (!events.length) return html`<p class="quiet">${text.nothing}</p>`;
  return html`<ol class="history" tabindex="0">${grouped(events).slice(-SHOWN).toReversed().map((event) => html`<li class=${event.event.replace(" ", "-")}><b>${event.times ? text.droppedSteps(count(event.times)) : text.events[event.event]}</b> <span class="quiet">${event.times ? text.steps(count(event.first), count(event.step)) : text.step(count(event.step))}</span> ${inWords(event)}</li>`)}</ol>`;
}

function inWords(event) {
  switch (event.event) {
    case "command":
      return [event.command, event.setting, event.value, event.text, event.refused && text.wasRefused]
        .filter((part) => part !== undefined && part !== null)
        .join(" ");
    case "follow-up":
      return `${event.issue}: ${event.helped ? text.helped : text.notHelped}`;
    case "diagnosis":
      return `${event.issue}. ${event.sentence}`;
    case "done":
    case "dropped":
      return event.reason;
    default:
      return event.sentence;
  }
}

function Curves({ log, zoom, onZoom }) {
  const panels = useMemo(() => panelsOf(log.columns), [log]);
  return html`<section class="curves">
    <h2>${text.curves}</h2>
    ${panels.length ? html`<p class="quiet">${text.curvesHow}</p>` : html`<p class="quiet">${text.noCurves}</p>`}
    ${panels.map(([panel, names]) => html`<${Panel} key=${panel} panel=${panel} names=${names} columns=${log.columns} events=${log.events} zoom=${zoom} onZoom=${onZoom} />`)}
  </section>`;
}

// What can be made of a run: an evaluation, a file, a branch.
function Further({ run, saved, say }) {
  const [strip, setStrip] = useState(run.pictures.includes("nearest") ? 1 : 0);
  const [busy, setBusy] = useState(run.evaluation.runs);
  const longer = useLonger();
  const [all, setAll] = useState([]);
  const [from, setFrom] = useState("");
  const [name, setName] = useState("");
  const [scores, setScores] = useState(run.evaluation.runs ? "" : run.evaluation.said);
  const away = useRef(false);
  const chosen = all.some((one) => `${one.step}` === from) ? from : all[0]?.step; // it may be gone

  useEffect(() => () => { away.current = true; }, []);
  useEffect(() => {
    read(`runs/${run.id}/checkpoints`).then(setAll, () => {});
  }, [saved?.step]);

  // Wait for the evaluation, which this page or an earlier one has begun.
  async function evaluated(job) {
    setBusy(true);
    setScores("");
    try {
      const { good, said, status } = await ended(job, run.id, () => away.current);
      setScores(isSignal(status) ? text.evaluationCancelled : good || said ? said : text.evaluationLost);
      if (good) setStrip((n) => n + 1);
    } catch (fault) {
      say(fault.message);
    }
    setBusy(false);
  }
  useEffect(() => {
    if (run.evaluation.runs) evaluated(run.evaluation.job);
  }, []);

  const cancel = () => post(`runs/${run.id}/evaluate/cancel`, {}).catch((fault) => say(fault.message));
  const evaluate = () => post(`runs/${run.id}/evaluate`, {}).then(({ job }) => evaluated(job), (fault) => say(fault.message));

  async function file() {
    const blob = await postForBlob(`runs/${run.id}/export`, {}).catch((fault) => say(fault.message));
    if (blob) download(blob, `${run.path.split("/").at(-1)}.safetensors`);
  }

  async function branch(event) {
    event.preventDefault();
    try {
      const made = await post(`runs/${run.id}/branch`, { name: name.trim(), step: Number(chosen), ...longer.asked() });
      location.hash = `#/runs/${made.run}`;
      const { good, said } = await ended(made.job, made.run);
      if (!good) say(said.split("\n").at(-1));
    } catch (fault) {
      say(fault.message);
    }
  }

  if (!all.length) return null;
  return html`<section><h2>${text.further}</h2>
    <div class="buttons"><button type="button" disabled=${busy} onClick=${evaluate}>${busy ? text.evaluating : text.evaluate}</button><button type="button" onClick=${file}>${text.export}</button><a href=${`#/explore/${run.id}`}>${text.exploreIt}</a></div>
    <form class="buttons" onSubmit=${branch}>
      <label>${text.branchFrom} <select value=${chosen} onChange=${(e) => setFrom(e.target.value)}>${all.map((one) => html`<option value=${one.step}>${text.step(count(one.step))}</option>`)}</select></label>
      <label>${text.branchName} <input required maxlength="80" size="12" value=${name} onInput=${(e) => setName(e.target.value)} /></label>
      <${LongerFields} longer=${longer} required=${!saved || run.status.state === "finished"} />
      <button>${text.branch}</button>
    </form>
    ${busy && html`<p class="quiet" role="status">${text.evaluatingHow} <button type="button" onClick=${cancel}>${text.cancel}</button></p>`}
    ${scores && html`<pre tabindex="0">${scores}</pre>`}
    ${strip > 0 && html`<figure><figcaption>${text.nearest}</figcaption><img class="grid" src=${`/api/runs/${run.id}/pictures/nearest?n=${strip}`} alt=${text.nearest} /></figure>`}
  </section>`;
}

function Settings({ settings, origins }) {
  const sections = Object.entries(settings).filter(([, values]) => values !== null && typeof values === "object");
  return html`${sections.map(([section, values]) => html`<h3>${section}</h3><dl class="settings">${Object.entries(values).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value === null ? "–" : String(value)} <span class="quiet">${text.origins[origins[`${section}.${name}`]]}</span></dd></div>`)}</dl>`)}`;
}
