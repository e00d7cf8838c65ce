import asyncio


async def work(name, delay):
    await asyncio.sleep(delay)
    return f"{name} after {delay}"


async def main():
    results = await asyncio.gather(work("a", 0.02), work("b", 0.01), work("c", 0))
    for result in results:
        print(result)


asyncio.run(main())
