import threading


def spin():
    while True:
        pass


for _ in range(100_000):
    threading.Thread(target=spin).start()
