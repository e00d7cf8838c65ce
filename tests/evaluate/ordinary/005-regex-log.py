import re
from collections import Counter

LOG = """10.0.0.1 - - [01/Mar/2024:10:00:01] "GET /index.html" 200
10.0.0.2 - - [01/Mar/2024:10:00:02] "POST /login" 401
10.0.0.1 - - [01/Mar/2024:10:00:05] "GET /admin" 403
"""
PATTERN = re.compile(r'(?P<ip>\S+) - - \[(?P<when>[^\]]+)\] "(?P<method>\w+) (?P<path>\S+)" (?P<status>\d{3})')
statuses = Counter()
by_ip = Counter()
for match in PATTERN.finditer(LOG):
    statuses[match["status"]] += 1
    by_ip[match.group("ip")] += 1
print(statuses.most_common())
print(by_ip.most_common(1))
