// The three losses of style transfer on a small image, while it changes.
import { html, useEffect, useRef, useState } from "../view.mjs";
import { hangUp, read } from "../api.mjs";
import { paint } from "../pixels.mjs";
import { Lines } from "../lines.mjs";

const ALL = { content: 1, style: 1, variation: 10, start: "noise" };
const LIMITS = { content: 2, style: 2, variation: 40 };
const LOSSES = ["content", "style", "variation"];
const CASES = {
  content: { ...ALL, style: 0, variation: 0 },
  style: { ...ALL, content: 0, variation: 0 },
  rough: { ...ALL, variation: 0 },
  all: ALL,
  smooth: { ...ALL, variation: 40 },
};

export function Losses({ t, onFault }) {
  const [weights, setWeights] = useState(ALL);
  const [going, setGoing] = useState(false);
  const [fault, setFault] = useState("");
  const [last, setLast] = useState(null);
  const [columns, setColumns] = useState([[], [], [], []]);
  const canvas = useRef(null);
  const send = useRef(null);

  // Each change of a weight starts again, and so does the button.
  useEffect(() => {
    if (!going) return undefined;
    let started = [];
    const stop = transfer(send, {
      begun: () => {
        started = [[], [], [], []];
        setFault("");
      },
      losses: (said) => {
        started[0].push(said.iteration);
        LOSSES.forEach((name, n) => started[n + 1].push(now.current[name] > 0 ? said[name] / now.current[name] : null));
        setLast(said);
        setColumns(started.map((column) => [...column]));
      },
      image: (data) => paint(canvas.current, data),
      refused: setFault,
      lost: () => {
        setFault(t.lost);
        setGoing(false);
        read("learn/questions/en").catch(onFault); // without a session the page asks for the key
      },
    });
    return stop;
  }, [going]);

  const now = useRef(weights);
  now.current = weights;
  useEffect(() => {
    if (going) send.current?.(weights);
  }, [going, weights]);

  function begin(chosen) {
    setWeights({ ...chosen });
    setGoing(true);
  }

  return html`<p>${t.lossesIntro}</p>
    <div class="three">
      <figure><img src="/api/learn/pictures/photograph" alt="" /><figcaption>${t.photograph}</figcaption></figure>
      <figure><img src="/api/learn/pictures/painting" alt="" /><figcaption>${t.painting}</figcaption></figure>
      <figure><canvas ref=${canvas} width="96" height="64" role="img" aria-label=${t.changing}></canvas><figcaption>${last ? t.iteration(last.iteration, last.iterations) : t.changing}</figcaption></figure>
    </div>
    <div class="buttons">${Object.entries(CASES).map(([name, chosen]) => html`<button type="button" class=${name === "all" ? "button" : ""} onClick=${() => begin(chosen)}>${t.cases[name]}</button>`)}</div>
    ${going && last?.iteration < last?.iterations && html`<p><button type="button" onClick=${() => setGoing(false)}>${t.stop}</button></p>`}
    ${fault && html`<p class="banner" role="alert">${fault}</p>`}
    <div class="columns">
      <section class="controls">
        ${LOSSES.map((name) => html`<div><label class="rate"><span>${t.lossNames[name]}</span> <input type="range" min="0" max=${LIMITS[name]} step=${LIMITS[name] / 40} value=${weights[name]} onInput=${(e) => begin({ ...weights, [name]: +e.target.value })} /> <output>${+weights[name].toFixed(2)}</output></label>
          <p class="quiet">${t.lossesOf[name]}</p></div>`)}
        <label>${t.startFrom} <select value=${weights.start} onChange=${(e) => begin({ ...weights, start: e.target.value })}><option value="noise">${t.starts.noise}</option><option value="content">${t.starts.content}</option></select></label>
      </section>
      <figure class="panel"><figcaption>${t.lossesWithout}</figcaption><${Lines} names=${LOSSES.map((name) => t.lossNames[name])} columns=${columns} along=${t.iterations} scale="logarithmic" /></figure>
    </div>`;
}

// Watch a transfer; `send.current` begins another one with other weights. Returns how to stop.
function transfer(send, { begun, losses, image, refused, lost }) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/api/learn/style`);
  socket.binaryType = "arraybuffer";
  let waiting = null;
  send.current = (weights) => {
    const text = JSON.stringify(weights);
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
    else waiting = text;
  };
  socket.onopen = () => waiting && socket.send(waiting);
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return image(data);
    const said = JSON.parse(data);
    if (said.sentence) return refused(said.sentence);
    if (said.iteration === 1) begun();
    return losses(said);
  };
  socket.onclose = lost;
  return () => {
    hangUp(socket);
  };
}
