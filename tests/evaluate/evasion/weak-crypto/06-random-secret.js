const secret = Math.random().toString(36).slice(2);
const token = `reset-${secret}`;
console.log(token);
