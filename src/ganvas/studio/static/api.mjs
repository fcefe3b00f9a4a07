// What the pages ask of the server. Every refusal is an Error with a sentence for people.

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Refusal(0, "");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, content.sentence ?? answer.statusText);
  return content;
}

const json = (method, content) => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(content),
});

export const read = (path) => ask(`/api/${path}`);
export const post = (path, content) => ask(`/api/${path}`, json("POST", content));
export const put = (path, body) => ask(`/api/${path}`, { method: "PUT", body });
export const remove = (path) => ask(`/api/${path}`, { method: "DELETE" });
export const enter = (key) => ask("/enter", json("POST", { key }));

// The body of an answer that is an image or a film.
export async function postForBlob(path, content) {
  const answer = await fetch(`/api/${path}`, { credentials: "same-origin", ...json("POST", content) });
  if (!answer.ok) throw new Refusal(answer.status, (await answer.json().catch(() => ({}))).sentence ?? answer.statusText);
  return answer.blob();
}

// Wait for a process that the studio has started; how it ended, and what it said.
export async function ended(job, run, over = () => false) {
  for (;;) {
    await new Promise((done) => setTimeout(done, 1000));
    const found = await ask(`/api/jobs/${job}?run=${run}`);
    if (found.status !== null || over()) return { good: found.status === 0, said: found.said.trim(), status: found.status };
  }
}

// Close a socket that nobody listens to any more; browsers complain of one that is not open yet.
export function hangUp(socket) {
  socket.onmessage = socket.onclose = null;
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
  else socket.close();
}

// Follow a run: `see` gets what is new, about once a second; `lost` whether the server is away;
// `gone` is called when there is no such run any more.
// After an interruption it goes on from the position of the last message. Returns how to stop.
export function follow(id, { see, lost, gone }, from = "") {
  let position = from;
  let socket;
  let timer;
  let pause = 500;

  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const after = encodeURIComponent(position);
    socket = new WebSocket(`${scheme}://${location.host}/api/runs/${id}/live?after=${after}`);
    socket.onmessage = (message) => {
      const news = JSON.parse(message.data);
      position = news.position;
      pause = 500;
      lost(false);
      see(news);
    };
    socket.onclose = (event) => {
      if (event.code === 4404) {
        gone();
        return;
      }
      lost(true);
      timer = setTimeout(connect, pause);
      pause = Math.min(5000, pause * 2);
    };
  }

  connect();
  return () => {
    clearTimeout(timer);
    hangUp(socket);
  };
}
