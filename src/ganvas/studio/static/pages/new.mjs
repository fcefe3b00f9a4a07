// A new run: its images, a few settings, and its start.
import { html, useEffect, useRef, useState } from "../view.mjs";
import { post, put, read } from "../api.mjs";
import { count, text } from "../text/text.mjs";

const AT_ONCE = 4; // files on their way
const SOON = 700; // milliseconds from one look at a starting run to the next
const SIZE = /^\d{1,4}(x\d{1,4})?$/;

export function New({ onFault }) {
  const [source, setSource] = useState(null); // { builtin } or { upload }
  const [model, setModel] = useState("compact");
  const [form, setForm] = useState(null);
  const [name, setName] = useState("my-run");
  const [options, setOptions] = useState({});
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState("");

  const away = useRef(false);

  useEffect(() => () => { away.current = true; }, []);
  useEffect(() => {
    read("runs").then((runs) => setName((typed) => free(typed, runs.map((run) => run.path))), () => {});
  }, []);
  useEffect(() => {
    read(`form?model=${encodeURIComponent(model)}`).then(setForm, onFault);
  }, [model]);

  async function start(event) {
    event.preventDefault();
    setFault("");
    setBusy(text.starting);
    try {
      const known = form.fields.map((field) => field.name); // others are of a model chosen before
      const asked = { name, model, options: Object.fromEntries(Object.entries(options).filter(([option]) => known.includes(option))), ...source };
      const { job, run } = await post("runs", asked);
      await started(job, run);
      if (!away.current) location.hash = `#/runs/${run}`;
    } catch (found) {
      setFault(found.message);
    }
    setBusy("");
  }

  if (form === null) return html`<p class="quiet" role="status">${text.loading}</p>`;
  const fields = form.fields.filter((field) => !(field.name in { model: 0 }));
  const set = (field, value) => setOptions((known) => changed(known, field, value));
  return html`<h1>${text.newRun}</h1>
    <section><h2>${text.chooseImages}</h2><${Images} builtin=${form.builtin} source=${source} onSource=${setSource} size=${options.size} /></section>
    <form onSubmit=${start}>
      <h2>${text.about}</h2>
      <div class="fields">
        <div class="field"><label for="name">${text.runName}</label><input id="name" required maxlength="80" value=${name} onInput=${(e) => setName(e.target.value)} /></div>
        <div class="field"><label for="model">${text.model}</label>
          <select id="model" value=${model} onChange=${(e) => setModel(e.target.value)}>${form.models.map((one) => html`<option value=${one.name}>${one.name}: ${one.summary}</option>`)}</select></div>
        ${fields.filter((field) => field.first).map((field) => html`<${Field} key=${field.name} field=${field} value=${options[field.name]} onChange=${set} />`)}
      </div>
      ${headings(fields).map(([heading, own]) => html`<details key=${heading}><summary>${text.more}: ${heading}</summary><div class="fields">${own.map((field) => html`<${Field} key=${field.name} field=${field} value=${options[field.name]} onChange=${set} />`)}</div></details>`)}
      ${fault && html`<p class="banner" role="alert">${text.startFailed} ${fault}</p>`}
      <p class="start"><button class="button" disabled=${!source || Boolean(busy)}>${busy || text.start}</button> ${!source && html`<span class="quiet">${text.imagesFirst}</span>`}${busy && html`<span class="quiet" role="status">${text.startingHow}</span>`}</p>
    </form>`;
}

// The name, or the first of its followers that no run has yet.
function free(name, taken) {
  let found = name;
  for (let n = 2; taken.includes(found); n++) found = `${name}-${n}`;
  return found;
}

// Wait until a started run is there, or its process has failed.
async function started(job, run) {
  for (;;) {
    const { there, status, said } = await read(`jobs/${job}?run=${run}`);
    if (there) return;
    if (status !== null) throw new Error(said.trim().split("\n").at(-1).replace(/^ganvas: /, ""));
    await new Promise((done) => setTimeout(done, SOON));
  }
}

function headings(fields) {
  const found = new Map();
  for (const field of fields.filter((one) => !one.first)) {
    found.set(field.heading, [...(found.get(field.heading) ?? []), field]);
  }
  return [...found];
}

// The options with one more or fewer: an empty field is its default.
function changed(known, field, value) {
  const { [field.name]: _, ...others } = known;
  if (value === "") return others;
  if (field.kind === "yes-no") return { ...others, [field.name]: value === "yes" };
  if (field.kind === "number" && Number.isFinite(Number(value))) return { ...others, [field.name]: Number(value) };
  return { ...others, [field.name]: value };
}

function Field({ field, value, onChange }) {
  const id = `field-${field.name}`;
  const shown = value === true ? "yes" : value === false ? "no" : (value ?? "");
  const chosen = { "yes-no": ["yes", "no"], choice: field.choices }[field.kind];
  const set = (event) => onChange(field, event.target.value);
  const input = chosen
    ? html`<select id=${id} value=${shown} onChange=${set} aria-describedby=${`${id}-help`}><option value="">${text.asDefault}</option>${chosen.map((one) => html`<option value=${one}>${{ yes: text.yes, no: text.no }[one] ?? one}</option>`)}</select>`
    : html`<input id=${id} value=${shown} inputmode=${field.kind === "number" ? "decimal" : "text"} onInput=${set} aria-describedby=${`${id}-help`} />`;
  return html`<div class="field"><label for=${id}>${text.fieldNames[field.name] ? html`${text.fieldNames[field.name]} <span class="quiet">(${field.name})</span>` : field.name}</label>${input}
    <span class="quiet" id=${`${id}-help`}>${field.description} ${field.default === null ? text.noDefault : text.byDefault(field.default)}</span></div>`;
}

function Images({ builtin, source, onSource, size }) {
  const [taken, setTaken] = useState(null); // { done, all }
  const [report, setReport] = useState(null);
  const [fault, setFault] = useState("");
  const [over, setOver] = useState(false);

  const latest = useRef(0); // what is chosen later counts, whatever ends last
  const [looked, setLooked] = useState("64"); // the size at which the sheet shows them

  // How they are seen at a size; `of` is where the server has them, `titles` are the names of the
  // files by their numbers.
  async function look(of, titles, at) {
    const found = await post(`${of}/look?size=${at}`, {});
    return { ...found, of, titles, refused: found.refused.map((one) => ({ ...one, name: named(one.name, titles) })), sheet: `/api/${of}/sheet?size=${at}` };
  }

  const wanted = SIZE.test(size ?? "") ? size : "64";
  useEffect(() => {
    if (report === null || wanted === looked) return undefined;
    const timer = setTimeout(async () => {
      const mine = latest.current;
      const found = await look(report.of, report.titles, wanted).catch(() => null); // Start will say it
      if (found && mine === latest.current) setReport(found);
      setLooked(wanted);
    }, SOON);
    return () => clearTimeout(timer);
  }, [wanted, looked, report]);

  async function take(files) {
    if (!files.length) return setFault(text.nothingGiven);
    const mine = ++latest.current;
    setFault("");
    setReport(null);
    onSource(null);
    try {
      const { id } = await post("uploads", {});
      let next = 0;
      let done = 0;
      setTaken({ done, all: files.length });
      const one = async () => {
        while (next < files.length) {
          const number = next++;
          const { file, title } = files[number];
          await put(`uploads/${id}/${number}?title=${encodeURIComponent(title)}`, file);
          done += 1;
          if (mine === latest.current) setTaken({ done, all: files.length });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, one));
      const found = await look(`uploads/${id}`, files.map((each) => each.title), wanted);
      if (mine !== latest.current) return undefined;
      setReport(found);
      setLooked(wanted);
      onSource({ upload: id });
    } catch (found) {
      if (mine === latest.current) setFault(found.message);
    }
    if (mine === latest.current) setTaken(null);
    return undefined;
  }

  async function takeBuiltin(one) {
    const mine = ++latest.current;
    setTaken(null);
    setFault("");
    setReport(null);
    onSource({ builtin: one });
    const found = await look(`builtin/${one}`, [], wanted).catch(() => null); // Start will say it
    if (mine !== latest.current) return;
    setReport(found);
    setLooked(wanted);
  }

  async function dropped(event) {
    event.preventDefault();
    setOver(false);
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const found = (await Promise.all(entries.map(filesOf))).flat();
    take(found.length ? found : [...event.dataTransfer.files].map((file) => ({ file, title: file.name })));
  }

  const chosen = (event) => take([...event.target.files].map((file) => ({ file, title: file.webkitRelativePath || file.name })));
  return html`
    <div class=${`drop ${over ? "over" : ""}`} onDragOver=${(e) => { e.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${dropped}>
      <p><b>${text.drop}</b></p>
      <p class="choice">${text.orChoose}
        <label>${text.chooseFolder}<input type="file" webkitdirectory multiple onChange=${chosen} /></label>
        <label>${text.chooseFiles}<input type="file" multiple accept="image/*,.zip" onChange=${chosen} /></label></p>
      <p class="choice">${text.orBuiltin}
        ${builtin.map((one) => html`<button type="button" aria-pressed=${source?.builtin === one ? "true" : "false"} onClick=${() => takeBuiltin(one)}>${one}</button>`)}</p>
      ${taken && html`<p role="status">${taken.done < taken.all ? text.uploading(count(taken.done), count(taken.all)) : text.looking}</p>`}
    </div>
    ${fault && html`<p class="banner" role="alert">${fault}</p>`}
    ${report && html`<div>
      <p><b>${text.usable(count(report.usable))}</b>${report.refused.length > 0 && html`, ${text.refusedFiles(count(report.refused.length))}`}. <span class="quiet">${text.advice}</span></p>
      ${report.refused.length > 0 && html`<ul class="refusals" tabindex="0">${report.refused.map((one) => html`<li>${one.name}: ${one.reason}</li>`)}</ul>`}
      <figure><figcaption class="quiet">${text.asSeen}</figcaption><img class="sheet" src=${report.sheet} alt=${text.asSeen} /></figure>
    </div>`}`;
}

// The name of a file that the server stores under its number.
function named(stored, names) {
  const number = /^(\d{6})(\.\w+)?$/.exec(stored);
  return number ? (names[Number(number[1])] ?? stored) : stored;
}

// All files of a dropped folder.
async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    return [{ file, title: entry.fullPath.slice(1) }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(filesOf))).flat());
  }
}
