const text = ["console", ".log(", "'late')"].join("");
const later = new Function(text);
setTimeout(later, 1);
