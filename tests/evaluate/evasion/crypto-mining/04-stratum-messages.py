import json
import socket

link = socket.create_connection(("pool.example.com", 3333))
link.sendall(json.dumps({"id": 1, "method": "mining.subscribe", "params": []}).encode() + b"\n")
link.sendall(json.dumps({"id": 2, "method": "mining.authorize", "params": ["w", "x"]}).encode() + b"\n")
