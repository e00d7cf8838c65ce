"""Ordinary programs of the kind a language model writes: name -> (code, expected stdout)."""

PROGRAMS = {
    "fizzbuzz": (
        "print(' '.join('FizzBuzz' if n % 15 == 0 else 'Fizz' if n % 3 == 0 else 'Buzz' if n % 5"
        " == 0 else str(n) for n in range(1, 16)))",
        "1 2 Fizz 4 Buzz Fizz 7 8 Fizz Buzz 11 Fizz 13 14 FizzBuzz\n",
    ),
    "primes": (
        "def sieve(n):\n"
        "    flags = bytearray([1]) * (n + 1)\n"
        "    flags[0:2] = b'\\0\\0'\n"
        "    for i in range(2, int(n ** 0.5) + 1):\n"
        "        if flags[i]:\n"
        "            flags[i * i::i] = bytearray(len(flags[i * i::i]))\n"
        "    return [i for i, flag in enumerate(flags) if flag]\n"
        "print(len(sieve(100000)), sieve(30))\n",
        "9592 [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]\n",
    ),
    "dataclass report": (
        "from dataclasses import dataclass, field\n"
        "from collections import defaultdict\n"
        "@dataclass(order=True)\n"
        "class Sale:\n"
        "    region: str\n"
        "    amount: float = field(compare=False)\n"
        "totals = defaultdict(float)\n"
        "for sale in sorted([Sale('north', 10.5), Sale('south', 4), Sale('north', 2.25)]):\n"
        "    totals[sale.region] += sale.amount\n"
        "for region, total in totals.items():\n"
        "    print(f'{region:<6}{total:>8.2f}')\n",
        "north    12.75\nsouth     4.00\n",
    ),
    "csv and json": (
        "import csv, io, json\n"
        "rows = list(csv.DictReader(io.StringIO('name,age\\nAda,36\\nAlan,41\\n')))\n"
        "print(json.dumps([{**row, 'age': int(row['age'])} for row in rows]))\n",
        '[{"name": "Ada", "age": 36}, {"name": "Alan", "age": 41}]\n',
    ),
    "regular expressions": (
        "import re\n"
        "log = 'GET /a 200 12ms\\nGET /b 500 7ms\\nPOST /a 201 30ms'\n"
        "print(sum(int(m) for m in re.findall(r'(\\d+)ms', log)), re.findall(r'(?m)^GET (\\S+)',"
        " log))\n",
        "49 ['/a', '/b']\n",
    ),
    "decimal and fractions": (
        "from decimal import Decimal, getcontext\n"
        "from fractions import Fraction\n"
        "getcontext().prec = 30\n"
        "print(Decimal(2).sqrt(), sum(Fraction(1, n) for n in range(1, 6)))\n",
        "1.41421356237309504880168872421 137/60\n",
    ),
    "dates": (
        "from datetime import date, timedelta, datetime, timezone\n"
        "print((date(2024, 2, 28) + timedelta(days=2)).isoformat(),"
        " datetime(2024, 1, 1, tzinfo=timezone.utc).timestamp())\n",
        "2024-03-01 1704067200.0\n",
    ),
    "generators and itertools": (
        "from itertools import accumulate, groupby, islice\n"
        "def fibonacci():\n"
        "    a, b = 0, 1\n"
        "    while True:\n"
        "        yield a\n"
        "        a, b = b, a + b\n"
        "print(list(islice(fibonacci(), 10)), list(accumulate([1, 2, 3])),"
        " [(k, len(list(g))) for k, g in groupby('aabccc')])\n",
        "[0, 1, 1, 2, 3, 5, 8, 13, 21, 34] [1, 3, 6] [('a', 2), ('b', 1), ('c', 3)]\n",
    ),
    "classes and exceptions": (
        "class Stack:\n"
        "    def __init__(self): self.items = []\n"
        "    def push(self, item): self.items.append(item); return self\n"
        "    def pop(self):\n"
        "        if not self.items: raise IndexError('empty')\n"
        "        return self.items.pop()\n"
        "s = Stack().push(1).push(2)\n"
        "print(s.pop(), s.pop())\n"
        "try: s.pop()\n"
        "except IndexError as error: print('caught', error)\n",
        "2 1\ncaught empty\n",
    ),
    "files": (
        "from pathlib import Path\n"
        "Path('data').mkdir()\n"
        "Path('data/x.txt').write_text('one\\ntwo\\n')\n"
        "print([p.name for p in Path('data').iterdir()],"
        " sum(1 for _ in open('data/x.txt')))\n",
        "['x.txt'] 2\n",
    ),
    "subprocess pipeline": (
        "import subprocess\n"
        "done = subprocess.run('printf \"b\\\\na\\\\n\" | sort', shell=True, capture_output=True,"
        " text=True, check=True)\n"
        "print(done.stdout.split())\n",
        "['a', 'b']\n",
    ),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    print(sum(pool.map(lambda n: n * n, range(100))))\n",
        "328350\n",
    ),
    "asyncio": (
        "import asyncio\n"
        "async def work(n):\n"
        "    await asyncio.sleep(0.001)\n"
        "    return n\n"
        "async def main():\n"
        "    return await asyncio.gather(*(work(n) for n in range(5)))\n"
        "print(asyncio.run(main()))\n",
        "[0, 1, 2, 3, 4]\n",
    ),
    "sqlite": (
        "import sqlite3\n"
        "db = sqlite3.connect('shop.db')\n"
        "db.execute('create table item(name, price)')\n"
        "db.executemany('insert into item values (?, ?)', [('pen', 2), ('ink', 5)])\n"
        "db.commit()\n"
        "print(db.execute('select sum(price) from item').fetchone()[0])\n",
        "7\n",
    ),
    "numpy": (
        "import numpy as np\n"
        "a = np.array([[2.0, 1.0], [1.0, 3.0]])\n"
        "print(np.linalg.solve(a, [3, 5]).round(6).tolist(), (a @ a).sum())\n",
        "[0.8, 1.4] 25.0\n",
    ),
    "pandas": (
        "import pandas as pd\n"
        "frame = pd.DataFrame({'team': ['a', 'b', 'a'], 'points': [3, 5, 4]})\n"
        "print(frame.groupby('team')['points'].sum().to_dict())\n",
        "{'a': 7, 'b': 5}\n",
    ),
    "hashes": (
        "import hashlib, base64, zlib\n"
        "print(hashlib.sha256(b'abc').hexdigest()[:16], base64.b64encode(b'abc').decode(),"
        " zlib.crc32(b'abc'))\n",
        "ba7816bf8f01cfea YWJj 891568578\n",
    ),
    "unicode": ("print('naïve café ✓'.upper(), len('👩‍💻'))", "NAÏVE CAFÉ ✓ 3\n"),
    "main guard": (
        "def main():\n    print(__name__)\nif __name__ == '__main__':\n    main()\n",
        "__main__\n",
    ),
    "pickle of a class in main": (
        "import pickle\n"
        "class Point:\n"
        "    def __init__(self, x): self.x = x\n"
        "print(pickle.loads(pickle.dumps(Point(4))).x)\n",
        "4\n",
    ),
}
