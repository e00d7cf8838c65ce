const settings = {
  apiKey: "sk_live_" + "0123456789abcdefABCDEF01",
  password: "Tr0ub4dor&3-long",
};
console.log(Object.keys(settings));
