import asyncio


async def ping(host):
    process = await asyncio.create_subprocess_shell(
        "ping -c 1 {}".format(host), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode()


print(asyncio.run(ping("localhost && id")))
