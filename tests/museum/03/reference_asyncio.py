# A reference: coroutines on one event loop, in Python.
# grade: --required
import asyncio
import sys


async def serve(reader, writer):
    try:
        while line := await reader.readline():
            writer.write(b"ECHO " + line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
    except (OSError, ValueError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), limit=100_000, backlog=1024)
    await server.serve_forever()


asyncio.run(main())
