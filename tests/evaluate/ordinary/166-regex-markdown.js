const source = "# Title\n\nSome *bold* text and `code`.\n";
const html = source
  .replace(/^# (.*)$/m, "<h1>$1</h1>")
  .replace(/\*(.+?)\*/g, "<b>$1</b>")
  .replace(/`(.+?)`/g, "<code>$1</code>");
console.log(html);
const pattern = /(?<word>\w+)ld/.exec(html);
console.log(pattern.groups.word);
