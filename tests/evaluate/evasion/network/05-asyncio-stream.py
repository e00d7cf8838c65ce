from asyncio import open_connection as dial, run


async def main():
    reader, writer = await dial("192.0.2.7", 8080)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    print(await reader.read(100))


run(main())
