// The frame of all pages: where one is, who one is, and what went wrong.
import { html, render, useCallback, useEffect, useState } from "./view.mjs";
import { enter } from "./api.mjs";
import { text } from "./text/text.mjs";
import { Compare } from "./pages/compare.mjs";
import { Explore } from "./pages/explore.mjs";
import { Learn } from "./pages/learn.mjs";
import { New } from "./pages/new.mjs";
import { Run } from "./pages/run.mjs";
import { Style } from "./pages/style.mjs";
import { Runs } from "./pages/runs.mjs";

const SAID = 6000;

function route() {
  const [, page, id, other] = location.hash.split("/");
  return { page: page ?? "runs", id, other };
}

function App() {
  const [where, setWhere] = useState(route());
  const [fault, setFault] = useState(null);
  const [said, setSaid] = useState("");
  const [known, setKnown] = useState(0);

  useEffect(() => {
    const moved = () => {
      const key = keyIn(location.hash);
      if (key !== null) { // the address that the terminal prints, pasted into a page that is open
        history.replaceState(null, "", "/#/runs");
        enter(key).then(() => setFault(null), setFault).then(() => setKnown((n) => n + 1));
      }
      setWhere(route());
      setFault((known) => (known?.status === 401 ? known : null)); // it was the other page's
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);

  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(""), SAID);
    return () => clearTimeout(timer);
  }, [said]);

  const onFault = useCallback((found) => setFault(found), []);
  const locked = fault?.status === 401;
  const page =
    where.page === "runs" && where.id
      ? html`<${Run} key=${`${where.id}${known}`} id=${where.id} onFault=${onFault} say=${setSaid} />`
      : where.page === "style"
        ? html`<${Style} key=${known} id=${where.id} onFault=${onFault} />`
      : where.page === "explore"
        ? html`<${Explore} key=${known} id=${where.id} onFault=${onFault} />`
      : where.page === "compare"
        ? html`<${Compare} key=${`${where.id}${where.other}${known}`} ids=${[where.id, where.other]} onFault=${onFault} />`
      : where.page === "learn"
        ? html`<${Learn} key=${known} id=${where.id} onFault=${onFault} />`
      : where.page === "new"
        ? html`<${New} key=${known} onFault=${onFault} />`
        : html`<${Runs} key=${known} onFault=${onFault} />`;
  return html`
    <a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById("main").focus(); }}>${text.skip}</a>
    <header class="top"><a href="#/runs"><img src="/static/logo.svg" alt="" width="24" height="24" /> ${text.title}</a><nav><a href="#/runs">${text.runs}</a><a href="#/new">${text.newRun}</a><a href="#/explore">${text.explore}</a><a href="#/style">${text.style}</a><a href="#/learn">${text.learn.title}</a></nav></header>
    ${fault?.status === 0 && html`<p class="banner" role="alert">${text.offline}</p>`}
    ${fault && fault.status > 0 && !locked && html`<p class="banner" role="alert">${fault.message}</p>`}
    <main id="main" tabindex="-1">${locked ? html`<${Enter} onEntered=${() => { setFault(null); setKnown(known + 1); }} />` : page}</main>
    <div class="said" role="status">${said}</div>`;
}

function Enter({ onEntered }) {
  const [key, setKey] = useState("");
  const [fault, setFault] = useState("");
  async function submit(event) {
    event.preventDefault();
    try {
      await enter(key.trim());
      onEntered();
    } catch (found) {
      setFault(found.message);
    }
  }
  return html`<section class="empty">
    <h1>${text.noKey}</h1>
    <p>${text.noKeyHow}</p>
    <form onSubmit=${submit}>
      <label>${text.key} <input type="password" value=${key} autocomplete="current-password" onInput=${(e) => setKey(e.target.value)} /></label>
      <button>${text.enter}</button>
    </form>
    ${fault && html`<p class="banner" role="alert">${fault}</p>`}
  </section>`;
}

const keyIn = (hash) => new URLSearchParams(hash.slice(1)).get("key");

async function begin() {
  const key = keyIn(location.hash);
  if (key !== null) {
    history.replaceState(null, "", "/#/runs");
    await enter(key).catch(() => {});
  }
  render(html`<${App} />`, document.getElementById("app"));
}

begin();
