const session = Date.now().toString(36);
console.log(session);
