// An option is found as it is typed. Lunr reads a leading dash as "not", so that --lr-g finds nothing;
// in quotation marks it asks for pages that have all parts of the name.
const plain = (query) => query.replace(/(^|\s)-+(\S+)/g, (_, before, name) => `${before}"${name.replace(/-+/g, " ").trim()}"`);
for (const kind of new Set([window.Worker, window.IFrameWorker])) {
  const send = kind.prototype.postMessage;
  kind.prototype.postMessage = function (message, ...rest) {
    const typed = message && typeof message.data === "string";
    return send.call(this, typed ? { ...message, data: plain(message.data) } : message, ...rest);
  };
}
