import heapq
from dataclasses import dataclass, field


@dataclass(order=True)
class Task:
    priority: int
    title: str = field(compare=False)


queue = []
for priority, title in ((3, "write docs"), (1, "fix crash"), (2, "add test")):
    heapq.heappush(queue, Task(priority, title))
while queue:
    task = heapq.heappop(queue)
    print(task.priority, task.title)
