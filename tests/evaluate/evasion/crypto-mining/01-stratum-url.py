import json

pool = "stratum" + "+tcp://" + "pool.example.com:3333"
wallet = "4" + "A" * 94
print(json.dumps({"url": pool, "user": wallet, "algo": "rx/0"}))
