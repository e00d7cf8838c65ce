const text = "one two three two one two";
const counts = text.split(/\s+/).reduce((all, word) => ({ ...all, [word]: (all[word] || 0) + 1 }), {});
const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
console.table ? console.log(sorted) : null;
