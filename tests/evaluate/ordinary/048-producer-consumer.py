import queue
import threading

jobs = queue.Queue()
results = []
lock = threading.Lock()


def worker():
    while True:
        item = jobs.get()
        if item is None:
            break
        with lock:
            results.append(item ** 2)
        jobs.task_done()


threads = [threading.Thread(target=worker, daemon=True) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(10):
    jobs.put(number)
jobs.join()
for _ in threads:
    jobs.put(None)
for thread in threads:
    thread.join()
print(sorted(results))
