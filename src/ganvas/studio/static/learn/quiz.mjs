// The lesson's questions, before and after; code on the server reads the answers.
import { html, useEffect, useRef, useState } from "../view.mjs";
import { post, read } from "../api.mjs";

export function Quiz({ t, language, onFault }) {
  const [questions, setQuestions] = useState(null);

  useEffect(() => {
    read(`learn/questions/${language}`).then(setQuestions, onFault);
  }, [language]);

  if (questions === null) return null;
  return html`<p>${t.quizIntro}</p>
    ${Object.entries(questions).map(([when, list]) => html`<h2>${t[when]}</h2>
      <ol class="quiz">${list.map((one) => html`<${Question} key=${language + one.name} question=${one} t=${t} language=${language} onFault=${onFault} />`)}</ol>`)}`;
}

function Question({ question, t, language, onFault }) {
  const [answer, setAnswer] = useState("");
  const [found, setFound] = useState(null);
  const last = useRef("");

  async function check(given) {
    setAnswer(given);
    last.current = given;
    if (!given.trim()) return;
    const said = await post(`learn/questions/${language}/${question.name}`, { answer: given }).catch(onFault);
    if (last.current === given) setFound(said); // and not the answer to an earlier click
  }

  const said = found && (found.right === null ? t.unclear : found.right ? t.right : t.wrong(found.answer));
  return html`<li>
    <p id=${question.name}>${question.asks}</p>
    <div class="buttons" role="group" aria-labelledby=${question.name}>
      ${question.options.length
        ? question.options.map((option) => html`<button type="button" aria-pressed=${answer === option} onClick=${() => check(option)}>${option}</button>`)
        : html`<form onSubmit=${(e) => { e.preventDefault(); check(answer); }}><input aria-label=${t.yourAnswer} value=${answer} maxlength="200" onInput=${(e) => setAnswer(e.target.value)} /> <button>${t.check}</button></form>`}
    </div>
    <p role="status">${found && html`<strong class=${found.right ? "good" : "bad"}>${said}</strong> ${found.right === null ? "" : found.because}`}</p>
  </li>`;
}
