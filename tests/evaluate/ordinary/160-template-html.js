const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const html = (strings, ...values) => strings.reduce((out, s, i) => out + s + (i < values.length ? escape(String(values[i])) : ""), "");
console.log(html`<p>${"a < b"} and ${42}</p>`);
